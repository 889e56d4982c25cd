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
	switch s.Op {
	case NoExtents:
		return "chattr -e f"
	case Fallocate:
		return xfsio.Line("", "f", xfsio.Falloc(s.Off, s.Len))
	case KeepSize:
		return xfsio.Line("", "f", xfsio.KeepSize(s.Off, s.Len))
	case Punch:
		return xfsio.Line("", "f", xfsio.Punch(s.Off, s.Len))
	case Truncate:
		return xfsio.Line("", "f", xfsio.Truncate(s.Len))
	case Buffered:
		return xfsio.Line("", "f", xfsio.Write{Off: s.Off, Len: s.Len, Pattern: xfsio.Pattern(i)}.String())
	case Read:
		return xfsio.Line("", "f", xfsio.Read(s.Off, s.Len))
	case Sync:
		return xfsio.Line("", "f", xfsio.Sync)
	case Drop:
		return xfsio.Forget("f")
	case Unprime:
		return xfsio.Unprime("f")
	}
	return s.writeCommand(i)
}

func (s *Step) writeCommand(i int) string {
	line := ""
	if s.Fresh {
		line = xfsio.Touch("f")
	}
	line += xfsio.Line("-d", "f", xfsio.Write{
		Off: s.Off, Len: s.Len, Block: (s.Len + int64(len(s.Segs)) - 1) / int64(len(s.Segs)), Vectors: len(s.Segs),
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
