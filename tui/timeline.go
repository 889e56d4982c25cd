package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
)

// stretch is a part of the time of a write; without a letter it is a moment.
type stretch struct {
	letter byte   // by which the bar shows it
	at, ns uint64 // since the entry
	what   string
	more   []string // lines about it
}

// timeline is the course of a write from its entry to its end, in order. Its parts do not
// overlap.
type timeline struct {
	all   []stretch
	whole uint64
	// summed says that each part is all that was spent so, and not one time.
	summed bool
	// note says what is not told.
	note string
}

// timelineOf is the course of a write, nil when nothing is known of it.
func timelineOf(r *export.Row) *timeline {
	if r.SubmitNs == 0 && r.LatencyNs.V == 0 {
		return nil
	}
	if r.Budget.Known && r.LatencyNs.Known {
		return budgetTimeline(r)
	}
	return seenTimeline(r)
}

// Parts between the moments of which the record tells.
const (
	partEntry = 'e'
	partWait  = 'W'
	partPass  = '1' // and those after it
	partMap   = 'm'
	partIO    = 'I'
	partCopy  = 'b'
)

// mark is a moment of a write, and the part that begins there.
type mark struct {
	stretch
	rank   int    // of those of one time
	moment string // what happened; "" when the part says it
}

// Marks of one time come in this order: times are cut to microseconds.
const (
	rankWaited = iota
	rankPass
	rankWait
	rankOther
	rankEnd
)

// seenTimeline makes the course from the moments that are in the row: what lies between
// two of them is one part.
func seenTimeline(r *export.Row) *timeline {
	marks := slices.Concat(waitMarks(r), passMarks(r), ioMarks(r), endMarks(r))
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank)) })
	t := &timeline{note: "what the parts consist of is not measured (--budget)"}
	t.all = append(t.all, stretch{letter: partEntry, what: "entry, taking the lock, the write checks"})
	now := 0
	for i := range marks {
		k := &marks[i]
		t.all[now].ns = k.at - t.all[now].at
		if k.letter != 0 && (k.letter != partMap || t.all[now].letter != partMap) {
			t.all = append(t.all, k.stretch)
			now = len(t.all) - 1
		}
		if k.moment != "" {
			t.all = append(t.all, stretch{at: k.at, what: k.moment})
		}
		t.whole = k.at
	}
	t.all = slices.DeleteFunc(t.all, func(s stretch) bool { return s.ns == 0 && strings.IndexByte("emI", s.letter) >= 0 && s.letter != 0 })
	return t
}

// waitMarks are where waits for i_rwsem begin and end.
func waitMarks(r *export.Row) (out []mark) {
	for i := range r.Waits {
		w := &r.Waits[i]
		to := uint64(w.AtUs) * 1000
		from := to - min(w.Ns, to)
		for k := range r.Facts.Checks {
			if pass := uint64(r.Facts.Checks[k].AtUs) * 1000; pass < from/2+to/2 {
				from = max(from, pass)
			}
		}
		out = append(out,
			mark{rank: rankWait, stretch: stretch{letter: partWait, at: from, what: "wait for i_rwsem " + modeName(w.Lock), more: export.WaitedFor(r.Waits[i:i+1], w.Ns)}},
			mark{rank: rankWaited, stretch: stretch{letter: partEntry, at: to, what: "with the lock, the write checks"}})
	}
	return out
}

// passMarks are the runs of the checks.
func passMarks(r *export.Row) (out []mark) {
	for i := range r.Facts.Checks {
		c := &r.Facts.Checks[i]
		lookups := uint64(0)
		for k := range r.Lookups {
			if r.Lookups[k].Pass == i {
				lookups++
			}
		}
		text := fmt.Sprintf("pass %d, %s: after the write checks", i+1, modeName(c.Lock))
		if lookups > 0 {
			text += ", " + export.Plural(lookups, "lookup")
		}
		if i == len(r.Facts.Checks)-1 {
			if n := r.Facts.InFlight; n.Known {
				text += fmt.Sprintf(", drain (%d in flight)", n.V)
			}
			if len(r.Mappings) > 0 {
				text += ", first mapping"
			}
		}
		out = append(out, mark{rank: rankPass, stretch: stretch{letter: byte(partPass + min(i, 8)), at: uint64(c.AtUs) * 1000, what: text}})
	}
	return out
}

// ioMarks are the mappings, and what else is done for the data.
func ioMarks(r *export.Row) (out []mark) {
	add := func(letter byte, us uint32, part, moment string) {
		out = append(out, mark{rank: rankOther, moment: moment, stretch: stretch{letter: letter, at: uint64(us) * 1000, what: part}})
	}
	for i := range r.Mappings {
		mp := &r.Mappings[i]
		moment := "iomap: " + export.IomapType(mp.Type)
		if mp.Err != 0 {
			moment = "iomap failed: " + export.Result(int64(mp.Err))
		}
		switch {
		case i < len(r.Mappings)-1 || r.Facts.Queued:
			add(partMap, mp.AtUs, "submission, and further mappings", moment)
		default:
			add(partIO, mp.AtUs, "I/O: last submission, device, completion", moment)
		}
	}
	for i := range r.Summed {
		s := &r.Summed[i]
		add(0, s.AtUs, "", fmt.Sprintf("the last of %d more iomap: %s", s.Count, export.IomapType(s.Type)))
	}
	for i := range r.Zeroed {
		add(0, r.Zeroed[i].AtUs, "", fmt.Sprintf("zeroes %d bytes", r.Zeroed[i].Len))
	}
	for i := range r.Sleeps {
		if s := &r.Sleeps[i]; s.More == 0 {
			add(0, s.AtUs, "", "had slept "+export.Duration(s.Ns)+" for "+s.Cause.String())
		}
	}
	if b := r.Facts.Buffered; b.Known && b.V.Copied {
		add(partCopy, b.V.CopyAtUs, "buffered: copy to the page cache, writeback", "")
	}
	return out
}

// endMarks are the return of the write function and the end of the write.
func endMarks(r *export.Row) (out []mark) {
	if r.SubmitNs > 0 {
		k := mark{rank: rankEnd, moment: "returned " + export.Result(r.Facts.SubmitRet), stretch: stretch{at: r.SubmitNs}}
		switch {
		case r.Facts.Queued:
			k.stretch = stretch{letter: partIO, at: r.SubmitNs, what: "I/O: device, completion"}
			k.moment = "returned: queued, i_rwsem released"
		case r.Inside.Known:
			k.moment = "has not returned: " + r.Inside.V.Words()
		}
		out = append(out, k)
	}
	if r.LatencyNs.Known && r.LatencyNs.V > r.SubmitNs {
		out = append(out, mark{rank: rankEnd, moment: "completed: " + export.Result(r.Ret.V), stretch: stretch{at: r.LatencyNs.V}})
	}
	return out
}

// cells shares out the width of a bar: what took any time has at least one cell, as far as
// there are cells.
func cells(parts []uint64, width int) []int {
	out := make([]int, len(parts))
	whole, left, most := uint64(0), width, 0
	for i, ns := range parts {
		whole += ns
		if ns > 0 && left > 0 {
			out[i], left = 1, left-1
		}
		if ns > parts[most] {
			most = i
		}
	}
	if whole == 0 {
		return out
	}
	for i, room := 0, left; i < len(parts); i++ {
		more := int(float64(room) * float64(parts[i]) / float64(whole))
		out[i], left = out[i]+more, left-more
	}
	out[most] += left
	return out
}

// bar draws the parts side by side to scale, each by its letter, and the times below it.
func (t *timeline) bar(width int, looks func(letter byte) look) []string {
	const ends = 2
	if width -= ends; width < 10 {
		return nil
	}
	var parts []uint64
	for i := range t.all {
		parts = append(parts, t.all[i].ns)
	}
	var b strings.Builder
	b.WriteByte('|')
	for i, n := range cells(parts, width) {
		b.WriteString(looks(t.all[i].letter).Render(strings.Repeat(string(rune(t.all[i].letter)), n)))
	}
	b.WriteByte('|')
	return []string{b.String(), scale(t.whole, width)}
}

// scale writes times below a bar of so many cells.
func scale(whole uint64, width int) string {
	ticks := 4
	for ticks > 1 && width/ticks < 12 {
		ticks /= 2
	}
	line := ""
	for i := range ticks + 1 {
		text := export.Duration(uint64(float64(whole) * float64(i) / float64(ticks)))
		at := 1 + i*(width-1)/ticks
		if i == ticks {
			at -= len(text) - 1
		}
		line += strings.Repeat(" ", max(at-ansi.StringWidth(line), 0)) + text
	}
	return line
}

// timeline draws the course of the write to scale, and says what each part is.
func (d *detail) timeline() {
	d.plain("time", "wait for i_rwsem "+duration(d.r.WaitNs)+", latency "+duration(d.r.LatencyNs))
	t := timelineOf(d.r)
	if t == nil {
		return
	}
	s := &d.m.styles
	d.raw(t.bar(d.width, func(letter byte) look {
		switch letter {
		case partWait:
			return s.warn
		case partIO:
			return s.good
		}
		return s.label
	}), "")
	const columns = "  %9s %8s %5s  "
	d.raw([]string{fmt.Sprintf(columns, "AT", "TOOK", "SHARE") + "PART"}, s.title)
	for i := range t.all {
		p := &t.all[i]
		head, style := fmt.Sprintf(columns, export.Duration(p.at), "", ""), s.dim
		if p.letter != 0 {
			at := export.Duration(p.at)
			if t.summed {
				at = ""
			}
			head, style = string(rune(p.letter))+fmt.Sprintf(columns, at, export.Duration(p.ns), percentOf(ratio(p.ns, t.whole)))[1:], ""
		}
		d.behind(head, p.what, style)
		for _, line := range p.more {
			d.behind(strings.Repeat(" ", len(head)+2), line, "")
		}
	}
	if t.note != "" {
		d.behind("", t.note, s.dim)
	}
}

// behind adds text behind a head, wrapped.
func (d *detail) behind(head, text string, style look) {
	for _, line := range strings.Split(ansi.Wrap(text, max(d.width-len(head), 10), " "), "\n") {
		d.raw([]string{head + line}, style)
		head = strings.Repeat(" ", len(head))
	}
}
