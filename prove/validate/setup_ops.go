package validate

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// setupOp is one operation of a setup line: how it is written, and what it does.
type setupOp struct {
	sizes   int  // how many sizes it takes
	bounded bool // its length is one of memory
	// words are those that follow the sizes, nil for none; read takes them over.
	words *regexp.Regexp
	read  func(p *parser, s *Setup, words []string)
	do    func(f *scratch, s *Setup) error
}

// setupOps are the operations, by the word that follows "setup".
var setupOps = map[string]setupOp{
	"write":      {sizes: 2, bounded: true, do: func(f *scratch, s *Setup) error { return f.writeDirect(s.Off, s.Len) }},
	"prime":      {sizes: 1, do: func(f *scratch, s *Setup) error { return f.writeDirect(s.Off, f.bs) }},
	"buffered":   {sizes: 2, bounded: true, do: (*scratch).writeBuffered},
	"read":       {sizes: 2, bounded: true, do: (*scratch).readBuffered},
	"fallocate":  {sizes: 2, words: syntax("(keep-size)?"), read: (*parser).readSwitch, do: (*scratch).allocate},
	"punch":      {sizes: 2, do: func(f *scratch, s *Setup) error { return f.Punch(s.Off, s.Len) }},
	"truncate":   {sizes: 1, do: func(f *scratch, s *Setup) error { return f.Truncate(s.Off) }},
	"sync":       {do: func(f *scratch, _ *Setup) error { return unix.Fsync(f.Buffered) }},
	"dropcache":  {do: func(f *scratch, _ *Setup) error { return workload.SyncAndDrop(f.Buffered) }},
	"stale":      {do: (*scratch).makeStale},
	"chmod":      {words: syntax(`\S+`), read: (*parser).readMode, do: func(f *scratch, s *Setup) error { return unix.Fchmod(f.Buffered, s.Mode) }},
	"immutable":  {words: syntax("on|off"), read: (*parser).readSwitch, do: (*scratch).setImmutable},
	"noextents":  {do: (*scratch).clearExtents},
	"layout":     {words: syntax(".+"), read: (*parser).readLayout, do: (*scratch).checkLayout},
	"forget":     {do: (*scratch).forget},
	"journalled": {do: (*scratch).journal},
}

// readSwitch reads "on", "off", "keep-size", or nothing, which is off.
func (*parser) readSwitch(s *Setup, words []string) { s.On = len(words) > 0 && words[0] != "off" }

func (p *parser) readMode(s *Setup, words []string) {
	m, err := strconv.ParseUint(words[0], 8, 12)
	if err != nil {
		p.refuse("%q is not an octal mode", words[0])
	}
	s.Mode = uint32(m)
}

// readLayout reads runs such as W, U2, H3.
func (p *parser) readLayout(s *Setup, rest []string) {
	for _, r := range rest {
		n, err := strconv.ParseUint(cmp.Or(r[1:], "1"), 10, 31)
		if err != nil || n == 0 {
			p.refuse("%q is not a run of blocks", r)
		}
		if !strings.Contains("WUHD", r[:1]) {
			p.refuse("%q is not a run of blocks: W, U, H or D and a number", r)
		}
		s.Layout = append(s.Layout, Run{State: workload.BlockState(r[0]), Blocks: int64(n)})
	}
}
