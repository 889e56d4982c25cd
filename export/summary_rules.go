package export

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/rules"
)

// appendTogether appends the lines about hazards and overlaps, when there are any.
func (s *Summary) appendTogether(b *strings.Builder) {
	for _, r := range rules.All() {
		if n := s.Totals.hazards[r.ID]; n > 0 {
			fmt.Fprintf(b, "hazards:  %s broke %s, which this kernel does not promise (%s)\n", Plural(n, "write"), r.ID, r.PromisedBy())
		}
	}
	o := &s.Overlaps
	var parts []string
	add := func(n uint64, noun, what string) {
		if n > 0 {
			parts = append(parts, Plural(n, noun)+" "+what)
		}
	}
	add(o.Zeroed, "pair", "broke R2 in one block")
	add(o.Unwaited, "pair", "broke R3 in one block")
	add(o.Fallback, "pair", "broke R5 in one page")
	add(o.EOFOverlaps, "pair", "of an E-eof tail in flight and an aligned extending write in one block, which breaks no rule")
	add(o.Unmoved, "write", "did not move the file position on by what was written")
	add(o.Repeated, "write", "began at the position where such a one had begun, and overwrote it")
	add(o.Unchecked, "write", "not checked for overlaps")
	if len(parts) > 0 {
		fmt.Fprintf(b, "overlaps: %s\n", strings.Join(parts, ", "))
	}
}
