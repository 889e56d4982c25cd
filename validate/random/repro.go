package random

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Commands is the case as commands of xfs_io, for a shell. What xfs_io cannot do
// stands beside it in a comment.
func (c *Case) Commands() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# --seed %d --case %d\n", c.Seed, c.Number)
	b.WriteString("rm -f f && touch f\n")
	for i := range c.Steps {
		c.Steps[i].command(&b, i)
	}
	return b.String()
}

func (s *Step) command(b *strings.Builder, i int) {
	cmd := func(format string, args ...any) {
		fmt.Fprintf(b, "xfs_io -c %q f\n", fmt.Sprintf(format, args...))
	}
	switch s.Op {
	case NoExtents:
		b.WriteString("chattr -e f\n")
	case Fallocate:
		cmd("falloc %s %s", size(s.Off), size(s.Len))
	case KeepSize:
		cmd("falloc -k %s %s", size(s.Off), size(s.Len))
	case Punch:
		cmd("fpunch %s %s", size(s.Off), size(s.Len))
	case Truncate:
		cmd("truncate %s", size(s.Len))
	case Buffered:
		cmd("pwrite -S %#x %s %s", pattern(i), size(s.Off), size(s.Len))
	case Read:
		cmd("pread %s %s", size(s.Off), size(s.Len))
	case Sync:
		cmd("fsync")
	case Drop:
		b.WriteString("xfs_io -c fsync -c \"fadvise -d 0 0\" f\n")
	case Unprime:
		b.WriteString("chmod u+s f && chmod u-s f\n")
	case Write:
		s.writeCommand(b, i)
	}
}

func (s *Step) writeCommand(b *strings.Builder, i int) {
	if s.Fresh {
		b.WriteString("touch f && ") // in the same tick
	}
	opts := ""
	if s.Flags&unix.RWF_NOWAIT != 0 {
		opts += " -N"
	}
	if s.Flags&unix.RWF_DSYNC != 0 {
		opts += " -D"
	}
	if len(s.Segs) > 1 {
		opts += fmt.Sprintf(" -V %d", len(s.Segs))
	}
	block := (s.Len + int64(len(s.Segs)) - 1) / int64(len(s.Segs))
	fmt.Fprintf(b, "xfs_io -d -c %q f", fmt.Sprintf("pwrite -b %s%s -S %#x %s %s", size(block), opts, pattern(i), size(s.Off), size(s.Len)))
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
		b.WriteString("  # " + strings.Join(notes, "; "))
	}
	b.WriteByte('\n')
}

// pattern is a byte that tells the steps apart.
func pattern(i int) int { return 0x41 + i%26 }

// size is a number of bytes as xfs_io reads it.
func size(n int64) string {
	if n > 0 && n%1024 == 0 {
		return fmt.Sprintf("%dk", n/1024)
	}
	return fmt.Sprint(n)
}
