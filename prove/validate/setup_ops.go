package validate

import (
	"fmt"
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
	// words are those that follow the sizes, nil for none; read takes them over and
	// says what is wrong with them.
	words *regexp.Regexp
	read  func(s *Setup, words []string) string
	do    func(f *scratch, s *Setup) error
}

// setupOps are the operations, by the word that follows "setup".
var setupOps = map[string]setupOp{
	"write":      {sizes: 2, bounded: true, do: func(f *scratch, s *Setup) error { return f.writeDirect(s.Off, s.Len) }},
	"prime":      {sizes: 1, do: func(f *scratch, s *Setup) error { return f.writeDirect(s.Off, f.bs) }},
	"buffered":   {sizes: 2, bounded: true, do: (*scratch).writeBuffered},
	"read":       {sizes: 2, bounded: true, do: (*scratch).readBuffered},
	"fallocate":  {sizes: 2, words: syntax("(keep-size)?"), read: (*Setup).readSwitch, do: (*scratch).allocate},
	"punch":      {sizes: 2, do: func(f *scratch, s *Setup) error { return f.Punch(s.Off, s.Len) }},
	"truncate":   {sizes: 1, do: func(f *scratch, s *Setup) error { return f.Truncate(s.Off) }},
	"sync":       {do: func(f *scratch, _ *Setup) error { return unix.Fsync(f.Buffered) }},
	"dropcache":  {do: func(f *scratch, _ *Setup) error { return workload.SyncAndDrop(f.Buffered) }},
	"stale":      {do: (*scratch).makeStale},
	"chmod":      {words: syntax(`\S+`), read: (*Setup).readMode, do: func(f *scratch, s *Setup) error { return unix.Fchmod(f.Buffered, s.Mode) }},
	"immutable":  {words: syntax("on|off"), read: (*Setup).readSwitch, do: (*scratch).setImmutable},
	"noextents":  {do: (*scratch).clearExtents},
	"layout":     {words: syntax(".+"), read: (*Setup).readLayout, do: (*scratch).checkLayout},
	"forget":     {do: (*scratch).forget},
	"journalled": {do: (*scratch).journal},
}

// readSwitch reads "on", "off", "keep-size", or nothing, which is off.
func (s *Setup) readSwitch(words []string) string {
	s.On = len(words) > 0 && words[0] != "off"
	return ""
}

func (s *Setup) readMode(words []string) string {
	m, err := strconv.ParseUint(words[0], 8, 12)
	if err != nil {
		return fmt.Sprintf("%q is not an octal mode", words[0])
	}
	s.Mode = uint32(m)
	return ""
}

// readLayout reads runs such as W, U2, H3.
func (s *Setup) readLayout(rest []string) string {
	for _, r := range rest {
		state := workload.BlockState(r[0])
		n := int64(1)
		if len(r) > 1 {
			var err error
			if n, err = strconv.ParseInt(r[1:], 10, 32); err != nil || n < 1 || !isDigits(r[1:]) {
				return fmt.Sprintf("%q is not a run of blocks", r)
			}
		}
		if !strings.ContainsRune("WUHD", rune(state)) {
			return fmt.Sprintf("%q is not a run of blocks: W, U, H or D and a number", r)
		}
		s.Layout = append(s.Layout, Run{State: state, Blocks: n})
	}
	return ""
}
