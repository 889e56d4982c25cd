package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
	"github.com/ext4dio/ext4dio-trace/record"
)

// waitsTab lists who waited for i_rwsem, and for whom, by file. Above it stands how much of
// the waiting is explained, and who waits now.
type waitsTab struct{ *listTab[tally.Pair] }

func newWaitsTab(m *model) *waitsTab {
	return &waitsTab{newListTab(m, &listing[tally.Pair]{
		name: "Waits", sort: "WAITED", asked: "files, processes or operations with: ", none: "no wait is of or for ",
		columns: m.pairColumns,
		of:      func(p *tally.Picture) []tally.Pair { return p.Waited.Pairs },
		key:     func(p *tally.Pair) any { return p.BlameKey },
		last:    func(p *tally.Pair) bool { return p.More },
		order:   func(a, b *tally.Pair) int { return cmp.Compare(b.Ns, a.Ns) },
		said:    func(p *tally.Pair) string { return joined(pairFile(p), waiterText(p, far), m.holderText(p, far)) },
		filter:  pairFilter,
	})}
}

func (t *waitsTab) About() about {
	a := t.listTab.About()
	a.bandFrom = roomForGraphs
	return a
}

// Update shows the waits as they are now, and asks who waits now.
func (t *waitsTab) Update(msg tea.Msg) tea.Cmd {
	t.listTab.Update(msg)
	switch msg.(type) {
	case Snapshot, enteredMsg:
		return t.m.inside.ask(t)
	}
	return nil
}

// Fit leaves room for what stands above the list.
func (t *waitsTab) Fit(l layout) {
	l.rows = max(l.rows-len(t.above(l)), 0)
	t.listTab.Fit(l)
}

// Mouse is that of the list.
func (t *waitsTab) Mouse(e mouse) tea.Cmd {
	e.line -= len(t.above(t.room))
	if e.wheel == 0 && e.line < 0 {
		return nil
	}
	return t.listTab.Mouse(e)
}

func (t *waitsTab) View() []string {
	return append(t.above(t.room), t.list(t.none())...)
}

// none says why the list is empty.
func (t *waitsTab) none() string {
	w, totals := &t.m.now.Picture.Waited, &t.m.now.Summary.Totals
	switch {
	case totals.Writes == 0:
		return t.m.nothingYet()
	case w.Unseen >= totals.Writes:
		return "it is not known whether writes waited for i_rwsem: that is not recorded"
	case w.Unseen > 0:
		return fmt.Sprintf("no write of which that is known has waited for i_rwsem; of %s it is not", export.Plural(w.Unseen, "write"))
	}
	return "no write has waited for i_rwsem"
}

// noHolders says that nobody but direct writes is recorded as a holder of i_rwsem, and why;
// empty when others are.
func (m *model) noHolders() string {
	switch w := &m.now.Picture.Waited; {
	case w.Holders: // it was made by a version that did not say so
		return ""
	case m.now.Summary.Holders == "":
		return "holders that make no direct write are not in this recording"
	case m.now.Summary.Holders == "off":
		return "holders that make no direct write are not recorded (--holders off)"
	}
	return ""
}

// above are the lines above the list.
func (t *waitsTab) above(l layout) []string {
	s, w := &t.m.styles, &t.m.now.Picture.Waited
	lines := t.waiting(max(l.body/4, 1))
	if len(w.Pairs) == 0 {
		return lines
	}
	var by [observe.NumCauses]uint64
	for i := range w.Pairs {
		by[w.Pairs[i].Cause] += w.Pairs[i].Ns
	}
	known := w.Ns - min(w.Ns, w.Unknown)
	explained := part{percentOf(ratio(known, w.Ns)) + " explained", s.good}
	if ratio(known, w.Ns) < 0.95 {
		explained.style = s.warn
	}
	lines = append(lines, t.m.joinParts(
		part{fmt.Sprintf("%s, %s", plural(w.Times, "wait"), export.Duration(w.Ns)), s.bold}, explained,
		part{shareText("held", by[observe.CauseHeld], w.Ns), ""},
		part{shareText("queued behind", by[observe.CauseQueued], w.Ns), ""},
		part{shareText("to be woken", by[observe.CauseWoken], w.Ns), ""},
		part{shareText("not known", w.Unknown, w.Ns), s.warn}))
	if text := t.m.noHolders(); text != "" {
		lines = append(lines, s.warn.Render(text))
	}
	if n := t.m.now.Summary.Losses.LostHold; n > 0 {
		lines = append(lines, s.loss.Render("HOLDERS LOST: "+export.Plural(n, "holder")+" without a record (try --ring)"))
	}
	if w.Unseen > 0 {
		lines = append(lines, s.warn.Render("of "+export.Plural(w.Unseen, "write")+" it is not known whether they waited"))
	}
	return lines
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return export.Amount(float64(n)) + " " + noun + "s"
}

func shareText(what string, ns, of uint64) string {
	if ns == 0 {
		return ""
	}
	return what + " " + percentOf(ratio(ns, of))
}

// waiting says in at most so many lines who waits now, the longest first; of what has
// ended, who waited then.
func (t *waitsTab) waiting(most int) (lines []string) {
	s := &t.m.styles
	if t.m.inside.err != nil {
		return []string{s.loss.Render("who waits now is not known: " + export.SafeText(t.m.inside.err.Error()))}
	}
	all := t.m.inside.list()
	more := 0
	for i := range all {
		in := &all[i]
		if in.Row.Inside.V != record.InsideWait || len(in.Waits) == 0 {
			continue
		}
		if len(lines) == most {
			more++
			continue
		}
		lines = append(lines, s.bold.Render(t.waitingLine(in)))
	}
	if more > 0 {
		lines = append(lines, s.bold.Render(fmt.Sprintf("and %d more (Inside lists all)", more)))
	}
	return lines
}

func (t *waitsTab) waitingLine(in *export.Inside) string {
	w := &in.Waits[len(in.Waits)-1]
	when := "waits"
	if t.m.now.Ended {
		when = "waited at the end"
	}
	text := fmt.Sprintf("%s %s %s %s for %s: %s", export.Safe(in.Comm), in.ProcessNumber().Number(), when, modeText(w.Lock), export.Duration(w.Ns),
		tail(fileLabel(in.Path, in.Dev, in.Ino), 24))
	if p := longestPart(w.Parts); p != nil {
		text += " ← " + t.m.holderText(&tally.Pair{Blame: export.Blame{
			BlameKey: export.BlameKey{Op: p.Op, Holder: p.Comm, Cause: p.Cause, Mode: p.Mode}, Pid: p.Pid, One: p.Pid, With: p.Others,
		}}, far)
	}
	return text
}

// longestPart is the part that is known and took the most time, nil when there is none.
func longestPart(parts []observe.Part) (best *observe.Part) {
	for i := range parts {
		if p := &parts[i]; p.Cause != observe.CauseUnknown && (best == nil || p.Ns > best.Ns) {
			best = p
		}
	}
	return best
}

func (m *model) pairColumns(s *styles) []column[tally.Pair] {
	name := func(title string, width, rank, grow int, text func(p *tally.Pair, width int) string) column[tally.Pair] {
		return column[tally.Pair]{
			title: title, width: width, rank: rank, grow: grow,
			cell:  func(p *tally.Pair, width int) (string, look) { return text(p, width), "" },
			order: func(a, b *tally.Pair) int { return strings.Compare(text(a, far), text(b, far)) },
		}
	}
	holder := name("← HOLDER", 22, 0, 64, m.holderText)
	holder.cell = func(p *tally.Pair, width int) (string, look) {
		style := look("")
		if p.Op == "" && !p.More {
			style = s.warn
		}
		return m.holderText(p, width), style
	}
	waited := span("WAITED", 0, func(p *tally.Pair) uint64 { return p.Ns })
	waited.width = -7
	return []column[tally.Pair]{
		name("FILE", 11, 3, 26, func(p *tally.Pair, width int) string { return tail(pairFile(p), width) }),
		name("WAITER", 16, 1, 22, waiterText),
		holder,
		number("WAITS", 5, 4, "", func(p *tally.Pair) uint64 { return p.Waits }),
		waited,
		measured("SHARE", 5, 2, "", percentOf, func(p *tally.Pair) float64 { return ratio(p.Ns, m.now.Picture.Waited.Ns) }),
		span("MAX", 5, func(p *tally.Pair) uint64 { return p.Max }),
	}
}

func pairFile(p *tally.Pair) string {
	if p.More {
		return "(others)"
	}
	return fileLabel(p.Path, p.File.Dev, p.File.Ino)
}

// waiterText names who waited and for which mode, in so many cells. Several processes of a
// name have no number.
func waiterText(p *tally.Pair, width int) string {
	if p.More {
		return ""
	}
	who, number, mode := export.Safe(p.Waiter), "", modeText(p.For)
	if p.Process.Pid != 0 {
		number = p.Process.Number()
	}
	return firstFit(width, joined(who, number, mode), joined(who, number, short(mode)), joined(who, short(mode)), joined(tail(who, width-5), short(mode)))
}

// holderText names who was waited for, in so many cells.
func (m *model) holderText(p *tally.Pair, width int) string {
	switch {
	case p.More:
		return ""
	case p.Op == "" && p.Cause != observe.CauseUnknown:
		return "several, with little each"
	case p.Op == "" && m.noHolders() != "":
		return "holder not recorded"
	case p.Op == "":
		return "not known"
	}
	op, who, number, mode := export.Safe(p.Op), export.Safe(p.Holder), "", modeText(p.Mode)
	brief := shortOp(op)
	if p.Pid != 0 {
		number = fmt.Sprint(p.Pid)
	}
	switch {
	case p.With > 0 && p.Cause == observe.CauseHeld:
		set, one := fmt.Sprintf("%d %s,", p.With+1, several(p.Op)), fmt.Sprintf("%d …", p.One)
		return firstFit(width, joined(set, who, one), fitName(joined(set, who), one, width))
	case p.Cause == observe.CauseQueued:
		op, brief = "behind "+op, "behind "+brief // it did not hold the lock, however narrow the screen
	case p.Cause == observe.CauseWoken:
		return firstFit(width, joined("woken after", op, who, number), joined("woken after", who, number), fitName("after "+who, number, width))
	}
	return firstFit(width, joined(op, who, number, mode), joined(op, who, number, short(mode)),
		joined(brief, who, number, short(mode)), joined(brief, who, number), fitName(joined(brief, who), number, width))
}

// joined puts those words side by side that are there.
func joined(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// short is a mode of i_rwsem where there is little room.
func short(mode string) string { return mode[:min(len(mode), 4)] }

// shortOp is an operation without the name of the system call, and without what its name
// shares with those of others.
func shortOp(op string) string {
	switch op = op[strings.IndexByte(op, ':')+1:]; op {
	case "buffered-write":
		return "buffered"
	case "direct-read":
		return "read"
	}
	return op
}

// firstFit is the first of the texts that has at most so many cells; the last when none has.
func firstFit(width int, texts ...string) string {
	for _, t := range texts {
		if ansi.StringWidth(t) <= width {
			return t
		}
	}
	return texts[len(texts)-1]
}

// several is what those are called who hold the lock together.
func several(op string) string {
	switch op {
	case "direct-read":
		return "readers"
	case observe.OpWrite, "direct-write":
		return "writers"
	}
	return "holders"
}

// fitName puts a name and what stands behind it into so many cells: the name is cut.
func fitName(name, rest string, width int) string {
	if rest == "" {
		return name
	}
	if room := max(width-len(rest)-1, 4); ansi.StringWidth(name) > room {
		name = align(name, room)
	}
	return name + " " + rest
}

// modeText is a mode of i_rwsem.
func modeText(l record.Lock) string { return cmp.Or(export.ModeName(l), "?") }

// pairFilter lets the writes of a pair through, as far as its names can be typed.
func pairFilter(p *tally.Pair) string {
	if p.More {
		return ""
	}
	words := []string{fileFilter(p.File.Dev, p.File.Ino), "wait>0", named("comm", p.Waiter)}
	if p.Process.Pid != 0 {
		words = append(words, processFilter(p.Process))
	}
	if p.Op != "" {
		words = append(words, named("holder", p.Op))
		if p.With == 0 {
			words = append(words, named("holdercomm", p.Holder))
		}
	}
	return joined(words...)
}

// named asks for a field with a value; empty when the value cannot be typed.
func named(field, value string) string {
	if value == "" || export.Safe(value) != value || strings.ContainsAny(value, `"*?`) {
		return ""
	}
	return field + "=" + quoted(value)
}
