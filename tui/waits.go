package tui

import (
	"cmp"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// waitsTab lists who waited for i_rwsem, and for whom, by file. Above it stands how much of
// the waiting is explained, and who waits now.
type waitsTab struct{ *listTab[pair] }

func newWaitsTab(m *model) *waitsTab {
	t := &waitsTab{newListTab(m, &listing[pair]{
		name: "Waits", sort: "WAITED", asked: "files, processes or operations with: ", none: "no wait is of or for ",
		columns: func(s *styles) []column[pair] { return m.pairColumns(s) },
		of:      func(s *Snapshot) []pair { return s.Waits.pairs },
		key:     func(p *pair) any { return p.pairKey },
		last:    func(p *pair) bool { return p.others },
		order:   func(a, b *pair) int { return cmp.Compare(b.ns, a.ns) },
		said: func(p *pair) string {
			return strings.Join([]string{p.fileText(), p.waiterText(far), m.holderText(p, far)}, " ")
		},
		filter: (*pair).filter,
	})}
	return t
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
	w, totals := &t.m.now.Waits, &t.m.now.Summary.Totals
	switch {
	case totals.Writes == 0:
		return t.m.nothingYet()
	case w.unknown >= totals.Writes:
		return "it is not known whether writes waited for i_rwsem: that is not recorded"
	case w.unknown > 0:
		return fmt.Sprintf("no write of which that is known has waited for i_rwsem; of %s it is not", export.Plural(w.unknown, "write"))
	}
	return "no write has waited for i_rwsem"
}

// above are the lines above the list.
func (t *waitsTab) above(l layout) []string {
	s := &t.m.styles
	lines := t.waiting(max(l.body/4, 1))
	w := &t.m.now.Waits
	if len(w.pairs) == 0 {
		return lines
	}
	known := w.ns - min(w.ns, w.byCause[observe.CauseUnknown])
	explained := part{percentOf(ratio(known, w.ns)) + " explained", s.good}
	if ratio(known, w.ns) < 0.95 {
		explained.style = s.warn
	}
	lines = append(lines, t.m.joinParts(
		part{fmt.Sprintf("%s, %s", plural(w.waits, "wait"), export.Duration(w.ns)), s.bold}, explained,
		part{shareText("held", w.byCause[observe.CauseHeld], w.ns), ""},
		part{shareText("queued behind", w.byCause[observe.CauseQueued], w.ns), ""},
		part{shareText("not known", w.byCause[observe.CauseUnknown], w.ns), s.warn}))
	if t.m.opts.NoHolders != "" {
		lines = append(lines, s.warn.Render("holders that make no direct write are not recorded ("+export.SafeText(t.m.opts.NoHolders)+")"))
	}
	if w.unknown > 0 {
		lines = append(lines, s.warn.Render("of "+export.Plural(w.unknown, "write")+" it is not known whether they waited"))
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
		text += " ← " + t.m.holderText(&pair{pairKey: pairKey{cause: p.Cause, op: p.Op, pid: p.Pid, holderMode: p.Mode}, holder: p.Comm, with: p.Others}, far)
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

func (m *model) pairColumns(s *styles) []column[pair] {
	all := func() uint64 { return m.now.Waits.ns }
	name := func(title string, width, rank, grow int, text func(p *pair, width int) string) column[pair] {
		return column[pair]{
			title: title, width: width, rank: rank, grow: grow,
			cell:  func(p *pair, width int) (string, look) { return text(p, width), "" },
			order: func(a, b *pair) int { return strings.Compare(text(a, far), text(b, far)) },
		}
	}
	holder := name("← HOLDER", 24, 0, 64, m.holderText)
	holder.cell = func(p *pair, width int) (string, look) {
		style := look("")
		if p.cause == observe.CauseUnknown && !p.others {
			style = s.warn
		}
		return m.holderText(p, width), style
	}
	waited := span("WAITED", 0, func(p *pair) uint64 { return p.ns })
	waited.width = -7
	return []column[pair]{
		name("FILE", 11, 3, 26, func(p *pair, width int) string { return tail(p.fileText(), width) }),
		name("WAITER", 14, 1, 22, (*pair).waiterText),
		holder,
		number("WAITS", 5, 4, "", func(p *pair) uint64 { return p.waits }),
		waited,
		measured("SHARE", 5, 2, "", percentOf, func(p *pair) float64 { return ratio(p.ns, all()) }),
		span("MAX", 5, func(p *pair) uint64 { return p.max }),
	}
}

func (p *pair) fileText() string {
	if p.others {
		return "(others)"
	}
	return fileLabel(p.path, p.file.Dev, p.file.Ino)
}

// waiterText names who waited and for which mode, in so many cells.
func (p *pair) waiterText(width int) string {
	if p.others {
		return ""
	}
	who, number, mode := export.Safe(p.waiter), p.process.Number(), modeText(p.mode)
	return firstFit(width, joined(who, number, mode), joined(who, number, short(mode)), fitName(who, joined(number, short(mode)), width))
}

// holderText names who was waited for, in so many cells.
func (m *model) holderText(p *pair, width int) string {
	switch {
	case p.others:
		return ""
	case p.cause == observe.CauseUnknown && m.opts.NoHolders != "":
		return "holder not recorded"
	case p.cause == observe.CauseUnknown:
		return "not known"
	case p.op == "":
		return "several, with little each"
	}
	op, who, number, mode := export.Safe(p.op), export.Safe(p.holder), fmt.Sprint(p.pid), modeText(p.holderMode)
	switch {
	case p.with > 0:
		set := fmt.Sprintf("%d %s,", p.with+1, several(p.op))
		return firstFit(width, joined(set, who, number, "…"), fitName(joined(set, who), number+" …", width))
	case p.cause == observe.CauseQueued:
		op = "behind " + op
	}
	return firstFit(width, joined(op, who, number, mode), joined(op, who, number, short(mode)),
		joined(shortOp(op), who, number, short(mode)), joined(shortOp(op), who, number), fitName(joined(shortOp(op), who), number, width))
}

func joined(words ...string) string { return strings.Join(words, " ") }

// short is a mode of i_rwsem where there is little room.
func short(mode string) string { return mode[:min(len(mode), 4)] }

// shortOp is an operation without the name of the system call.
func shortOp(op string) string { return op[strings.IndexByte(op, ':')+1:] }

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
	if room := max(width-len(rest)-1, 4); ansi.StringWidth(name) > room {
		name = align(name, room)
	}
	return name + " " + rest
}

// modeText is a mode of i_rwsem.
func modeText(l record.Lock) string { return cmp.Or(export.ModeName(l), "?") }

// filter lets the writes of the pair through.
func (p *pair) filter() string {
	if p.others {
		return ""
	}
	return fileFilter(p.file.Dev, p.file.Ino) + " " + processFilter(p.process) + " wait>0"
}
