package export

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

// BlameKey is who waited for whom, and why: tasks of one name for those of another.
type BlameKey struct {
	Waiter string      // raw; escape before showing
	For    record.Lock // the mode that was waited for
	Op     string      // what the holder did; empty when it is not known
	Holder string      // raw; the names of several that held it together
	Cause  observe.Cause
	Mode   record.Lock // in which the holder held the lock, or was queued for it
	File   FileID      // none when files are not told apart
}

// Blame is how long the one waited for the other.
type Blame struct {
	BlameKey
	Pid   uint32 // of the holder; 0 when that is not known, or there are several
	Waits uint64 // times that somebody waited
	Ns    uint64
}

// Blames tells who was serialised by whom. What it counts adds up to all that was waited.
// Its zero value is empty, and its memory is bounded.
type Blames struct {
	PerFile bool
	Ns      uint64 // all that was waited
	Unknown uint64 // of that, what nobody who is known is the cause of
	all     map[BlameKey]*Blame
	more    Blame // waits that are not in all
}

const (
	maxBlames  = 4096
	textBlames = 8 // that a summary shows
	jsonBlames = 64
)

// Add counts a write.
func (b *Blames) Add(r *Row) {
	if !r.WaitNs.Known || r.WaitNs.V == 0 {
		return
	}
	k := BlameKey{Waiter: r.Comm}
	if b.PerFile {
		k.File = r.File()
	}
	rest := r.WaitNs.V
	b.Ns += rest
	for i := range r.Waits {
		k.For = r.Waits[i].Lock
		for n := range r.Waits[i].Parts {
			p := &r.Waits[i].Parts[n]
			k.Op, k.Holder, k.Cause, k.Mode = p.Op, holderName(p), p.Cause, p.Mode
			ns, pid := min(rest, p.Ns), p.Pid
			if p.Others > 0 {
				pid = 0
			}
			b.count(&k, pid, ns)
			rest -= ns
		}
	}
	if rest > 0 { // it did not fit into the record, or nobody has looked for holders
		b.count(&BlameKey{Waiter: r.Comm, File: k.File}, 0, rest)
	}
}

// holderName names who held the lock, all those that are known of several.
func holderName(p *observe.Part) string {
	if len(p.With) == 0 {
		return p.Comm
	}
	names := []string{p.Comm}
	for i := range p.With {
		names = append(names, p.With[i].Comm)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 3
	if len(names) > most {
		names = append(names[:most], "others")
	}
	return strings.Join(names, ", ")
}

func (b *Blames) count(k *BlameKey, pid uint32, ns uint64) {
	if k.Op == "" {
		b.Unknown += ns
	}
	bl := b.all[*k]
	switch {
	case bl != nil:
		if bl.Pid != pid {
			bl.Pid = 0
		}
	case len(b.all) >= maxBlames:
		bl = &b.more
	default:
		if b.all == nil {
			b.all = make(map[BlameKey]*Blame)
		}
		bl = &Blame{BlameKey: *k, Pid: pid}
		b.all[*k] = bl
	}
	bl.Waits++
	bl.Ns += ns
}

// List lists who waited for whom, the longest first, and those of whom it is not known for
// whom among them.
func (b *Blames) List() []*Blame {
	return slices.SortedFunc(maps.Values(b.all), func(x, y *Blame) int {
		return cmp.Or(cmp.Compare(y.Ns, x.Ns), cmp.Compare(x.Waiter, y.Waiter), cmp.Compare(x.Holder, y.Holder), cmp.Compare(x.File.Ino, y.File.Ino),
			cmp.Compare(x.Op, y.Op), cmp.Compare(x.Mode, y.Mode), cmp.Compare(x.Cause, y.Cause), cmp.Compare(x.For, y.For))
	})
}

// More is what is in none of the list: there were too many pairs.
func (b *Blames) More() Blame { return b.more }

// Share is how much of all that was waited is ns, in words.
func (b *Blames) Share(ns uint64) string {
	switch percent := 100 * float64(ns) / float64(max(b.Ns, 1)); {
	case ns > 0 && percent < 0.5:
		return "<1%"
	default:
		return fmt.Sprintf("%.0f%%", percent)
	}
}

func (b *Blames) clone() Blames {
	c := *b
	c.all = make(map[BlameKey]*Blame, len(b.all))
	for k, bl := range b.all {
		one := *bl
		c.all[k] = &one
	}
	return c
}

// HolderText names what the holder did, and the holder; empty when that is not known.
func (k *BlameKey) HolderText() string {
	if k.Op == "" {
		return ""
	}
	return Safe(k.Op) + " of " + Safe(k.Holder)
}

// Held is how the holder had the lock, or that it was queued for it.
func (k *BlameKey) Held() string {
	switch k.Cause {
	case observe.CauseUnknown:
		return ""
	case observe.CauseWoken:
		return "woken after"
	case observe.CauseQueued:
		return strings.TrimSpace("queued " + ModeName(k.Mode))
	}
	return ModeName(k.Mode)
}

// text is a line of a summary without its numbers.
func (bl *Blame) text() string {
	text := Safe(bl.Waiter)
	switch bl.For {
	case record.LockExclusive:
		text += " excl."
	case record.LockShared:
		text += " shared"
	}
	text += " <- " + bl.HolderText()
	if bl.Pid != 0 {
		text += fmt.Sprintf(" [%d]", bl.Pid)
	}
	held := strings.Replace(bl.Held(), "exclusive", "excl.", 1)
	if bl.Op != observe.OpWrite && bl.Cause == observe.CauseQueued {
		held = bl.Cause.String()
	}
	if held != "" && (bl.Op == observe.OpWrite || bl.Cause != observe.CauseHeld) {
		text += ", " + held
	}
	return text
}

// lines are those of a summary, each of at most 80 columns: whoever is known first, and
// the rest. holders is which holders besides direct writes were recorded.
func (b *Blames) lines(holders string) []string {
	if b.Ns == 0 {
		return nil
	}
	const room = 56
	line := func(ns uint64, n, text string) string {
		return fmt.Sprintf("%5s %8s %7s  %s", b.Share(ns), Duration(ns), n, cutTo(text, room))
	}
	out := []string{
		"waited:   " + Duration(b.Ns) + " for i_rwsem",
		fmt.Sprintf("%5s %8s %7s  %s", "SHARE", "WAIT", "TIMES", "WHO <- FOR WHOM"),
	}
	shown, rest, more := 0, b.Ns-b.Unknown, 0
	for _, bl := range b.List() {
		switch {
		case bl.Op == "":
			continue
		case shown == textBlames:
			more++
			continue
		}
		shown++
		rest -= bl.Ns
		out = append(out, line(bl.Ns, fmt.Sprint(bl.Waits), bl.text()))
	}
	if rest > 0 {
		out = append(out, line(rest, "", fmt.Sprintf("%d more pairs", more)))
	}
	if b.Unknown > 0 {
		out = append(out, line(b.Unknown, "", "not known for whom"+notRecorded(holders)))
	}
	return out
}

// notRecorded says why holders may be unknown that are no direct writes, by which of them
// were recorded; empty when they were.
func notRecorded(holders string) string {
	switch holders {
	case "":
		return ": the trace has direct writes only"
	case "off":
		return ": holders were not recorded (off)"
	}
	return ""
}

// NotSeen says in words why somebody may have held the lock who was not seen, by which
// holders besides direct writes were recorded.
func NotSeen(holders string) string {
	switch holders {
	case "":
		return "no direct write that was seen held the lock then. Reads, truncate, fallocate and buffered writes take it, too, and are not recorded"
	case "off":
		return "no direct write that was seen held the lock then, and no other holders were recorded (--holders off)"
	}
	return "nobody who was seen held the lock then"
}

// cutTo cuts a text to a width. What may be wide counts as that.
func cutTo(text string, width int) string {
	w, fits := 0, 0 // fits is what leaves room for the mark
	for i, r := range text {
		if w < width {
			fits = i
		}
		if w++; r >= 0x1100 {
			w++
		}
		if w > width {
			return text[:fits] + "~"
		}
	}
	return text
}

// blameJSON is a Blame for programs.
type blameJSON struct {
	Waiter string  `json:"waiter"` // raw, as holder
	For    *string `json:"waiter_mode"`
	Op     *string `json:"op"` // null when it is not known for whom
	Holder *string `json:"holder"`
	Pid    *uint32 `json:"pid"` // of the holder; null when there are several
	Cause  string  `json:"cause"`
	Mode   *string `json:"mode"`
	Waits  uint64  `json:"waits"`
	Ns     uint64  `json:"ns"`
}

// waitedJSON is who waited for whom, for programs.
type waitedJSON struct {
	For     []blameJSON `json:"waited_for"` // those of the longest waits
	Unknown uint64      `json:"waited_unknown_ns"`
	Holders *string     `json:"holders"` // which holders besides writes were recorded: auto, all or off; null when that is not known
	NoHolds uint64      `json:"lost_holders"`
}

func (s *Summary) waitedJSON() waitedJSON {
	orNull := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	b := &s.Totals.Blames
	out := waitedJSON{For: []blameJSON{}, Unknown: b.Unknown, Holders: orNull(s.Holders), NoHolds: s.Losses.LostHold}
	list := b.List()
	for _, bl := range list[:min(len(list), jsonBlames)] {
		j := blameJSON{
			Waiter: bl.Waiter, For: orNull(ModeName(bl.For)), Op: orNull(bl.Op), Holder: orNull(bl.Holder),
			Cause: bl.Cause.String(), Mode: orNull(ModeName(bl.Mode)), Waits: bl.Waits, Ns: bl.Ns,
		}
		if bl.Pid != 0 {
			j.Pid = &bl.Pid
		}
		out.For = append(out.For, j)
	}
	return out
}
