package random

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
)

// Commands is the case as commands of xfs_io, for a shell. What xfs_io cannot do
// stands beside it in a comment.
func (c *Case) Commands() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# --seed %d --case %d\n", c.Seed, c.Number)
	b.WriteString("rm -f f && touch f\n")
	for i := range c.Steps {
		b.WriteString(c.Steps[i].command(i) + "\n")
	}
	return b.String()
}

func (s *Step) command(i int) string {
	return [numOps]string{
		Write:     s.writeCommand(i),
		NoExtents: "chattr -e f",
		Fallocate: xfsio.Line("", "f", xfsio.Falloc(s.Off, s.Len)),
		KeepSize:  xfsio.Line("", "f", xfsio.KeepSize(s.Off, s.Len)),
		Punch:     xfsio.Line("", "f", xfsio.Punch(s.Off, s.Len)),
		Truncate:  xfsio.Line("", "f", xfsio.Truncate(s.Len)),
		Buffered:  xfsio.Line("", "f", xfsio.Write{Off: s.Off, Len: s.Len, Pattern: xfsio.Pattern(i)}.String()),
		Read:      xfsio.Line("", "f", xfsio.Read(s.Off, s.Len)),
		Sync:      xfsio.Line("", "f", xfsio.Sync),
		Drop:      xfsio.Forget("f"),
		Unprime:   xfsio.Unprime("f"),
	}[s.Op]
}

func (s *Step) writeCommand(i int) string {
	line, segs := "", max(int64(len(s.Segs)), 1)
	if s.Fresh {
		line = xfsio.Touch("f")
	}
	line += xfsio.Line("-d", "f", xfsio.Write{
		Off: s.Off, Len: s.Len, Block: (s.Len + segs - 1) / segs, Vectors: len(s.Segs),
		NoWait: s.Flags&unix.RWF_NOWAIT != 0, DSync: s.Flags&unix.RWF_DSYNC != 0, Pattern: xfsio.Pattern(i),
	}.String())
	var notes []string
	if s.Flags&unix.RWF_APPEND != 0 {
		notes = append(notes, "with RWF_APPEND: at i_size")
	}
	if s.Engine.Async() {
		notes = append(notes, "through "+string(s.Engine))
	}
	if s.Buf != 0 {
		notes = append(notes, fmt.Sprintf("from memory %d bytes into a block", s.Buf))
	}
	if len(s.Segs) > 1 {
		notes = append(notes, "segments of "+strings.Trim(fmt.Sprint(s.Segs), "[]")+" bytes")
	}
	if len(notes) > 0 {
		line += "  # " + strings.Join(notes, "; ")
	}
	return line
}
