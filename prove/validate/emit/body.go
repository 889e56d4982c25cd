package emit

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
)

// word is how a body names its file.
const word = `"$f"`

// setups are the lines of the setup operations that a script can do; none for a check.
var setups = map[string]func(s *validate.Setup, p place) []string{
	"write":     func(s *validate.Setup, _ place) []string { return direct(s.Off, s.Len) },
	"prime":     func(s *validate.Setup, p place) []string { return direct(s.Off, p.block) },
	"buffered":  func(s *validate.Setup, _ place) []string { return must("", layout(s.Off, s.Len).String()) },
	"read":      func(s *validate.Setup, _ place) []string { return must("", xfsio.QuietRead(s.Off, s.Len)) },
	"fallocate": fallocate,
	"punch":     func(s *validate.Setup, _ place) []string { return must("", xfsio.Punch(s.Off, s.Len)) },
	"truncate":  func(s *validate.Setup, _ place) []string { return must("", xfsio.Truncate(s.Off)) },
	"sync":      func(*validate.Setup, place) []string { return must("", xfsio.Sync) },
	"dropcache": func(*validate.Setup, place) []string { return []string{"must " + xfsio.Forget(word)} },
	"stale":     func(*validate.Setup, place) []string { return []string{"must touch -d 2001-01-01 " + word} },
	"chmod": func(s *validate.Setup, _ place) []string {
		return []string{fmt.Sprintf("must chmod %04o %s", s.Mode, word)}
	},
	"noextents":  func(*validate.Setup, place) []string { return []string{"must chattr -e " + word} },
	"journalled": func(*validate.Setup, place) []string { return []string{"must chattr +j " + word} },
	"layout":     func(*validate.Setup, place) []string { return nil },
}

func must(options string, commands ...string) []string {
	return []string{"must " + xfsio.Line(options, word, commands...)}
}

func fallocate(s *validate.Setup, _ place) []string {
	if s.On {
		return must("", xfsio.KeepSize(s.Off, s.Len))
	}
	return must("", xfsio.Falloc(s.Off, s.Len))
}

// layoutByte is what the layout is made of.
const layoutByte = 0x40

// layout is a write of the layout.
func layout(off, n int64) xfsio.Write {
	return xfsio.Write{Off: off, Len: n, Block: min(n, 1<<20), Quiet: true, Pattern: layoutByte}
}

func direct(off, n int64) []string { return must("-d", layout(off, n).String()) }

// freshen makes the time stamps current. Allocating what is allocated writes nothing to the disk, so that
// the next write comes in the same tick of the clock; an inode with a block map cannot do it.
func (p place) freshen(off int64, hasMap bool) string {
	if hasMap {
		return layout(off, p.block).String()
	}
	return xfsio.KeepSize(off, p.block)
}

// judged are the lines of a write. One that may be refused is no failure; one that must
// find its time stamps current is repeated with the write that makes them so.
func judged(w *validate.Write, n int, p place, mayFail, hasMap bool) []string {
	options := "-d"
	if w.Flags&unix.RWF_APPEND != 0 {
		options += " -a"
	}
	one := xfsio.Write{
		Off: w.Pos, Len: int64(w.Len()), Block: int64(w.Segs[0]), Vectors: len(w.Segs), Quiet: true, Pattern: xfsio.Pattern(n),
		NoWait: w.Flags&unix.RWF_NOWAIT != 0, DSync: w.Flags&unix.RWF_DSYNC != 0,
	}
	switch {
	case w.Fresh >= 0:
		return []string{fmt.Sprintf("for try in 1 2 3 4 5 6 7 8; do %s && break; done || :", xfsio.Line(options, word, p.freshen(w.Fresh, hasMap), one.String()))}
	case mayFail:
		return []string{xfsio.Line(options, word, one.String()) + xfsio.Ignored}
	}
	return []string{xfsio.Line(options, word, one.String()) + " || exit 1"}
}
