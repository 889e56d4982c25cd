package tui

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// budgetParts are the letter and the words of each part of a budget, by its name.
var budgetParts = map[string]struct {
	letter byte
	what   string
}{
	"spin":        {'l', "entry, spinning for i_rwsem, the write checks"},
	"queue":       {partWait, "queued for i_rwsem"},
	"failed_pass": {'p', "a pass that was given up"},
	"lookup":      {'k', "ext4_map_blocks of the checks"},
	"drain":       {'d', "inode_dio_wait"},
	"times":       {'t', "time stamps, privileges, a journal handle"},
	"alloc":       {partMap, "ext4_iomap_begin: lookup, journal, allocation"},
	"zero":        {'z', "iomap_dio_zero"},
	"submit":      {'s', "the rest of iomap_dio_rw"},
	"device":      {partIO, "the last bio submitted, to the last bio ended"},
	"wakeup":      {'u', "from there to ext4_dio_write_end_io"},
	"convert":     {'x', "unwritten extents, i_size"},
	"sync":        {'f', "ext4_sync_file of O_DSYNC"},
	"buffered":    {partCopy, "ext4_buffered_write_iter"},
	"rest":        {'r', "checks, unlock, return"},
}

// budgetTimeline puts the parts of a budget in the order in which a write passes them. Each
// is all that was spent so; the parts of a write that does one thing again and again lie
// between one another. What is not known of them is one more part.
func budgetTimeline(r *export.Row) *timeline {
	b := &r.Budget.V
	t := &timeline{whole: r.LatencyNs.V, summed: true}
	at := uint64(0)
	for _, p := range record.BudgetOrder {
		ns, of := b.Ns[p], budgetParts[p.String()]
		if !ns.Known || ns.V == 0 {
			continue
		}
		s := stretch{letter: of.letter, at: at, ns: ns.V, what: fmt.Sprintf("%-11s %s", p, of.what)}
		if p == record.BudgetQueue {
			s.more = export.WaitedFor(r.Waits, ns.V)
		}
		t.all = append(t.all, s)
		at += ns.V
	}
	if b.Missing != "" {
		t.note = "not known: " + export.SafeText(b.Missing)
	}
	if t.whole > at {
		t.all = append(t.all, stretch{letter: '?', at: at, ns: t.whole - at, what: fmt.Sprintf("%-11s %s", "?", "not known")})
	}
	t.whole = max(t.whole, at)
	t.all = append(t.all, momentsOf(r)...)
	return t
}

// momentsOf are the moments of a write, without the parts between them.
func momentsOf(r *export.Row) (out []stretch) {
	for _, s := range seenTimeline(r).all {
		if s.letter == 0 {
			out = append(out, s)
		} else if s.letter >= partPass && s.letter <= '9' {
			out = append(out, stretch{at: s.at, what: fmt.Sprintf("pass %c", s.letter)})
		}
	}
	return out
}
