package tui

import (
	"fmt"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/export"
	ref "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// whatIf is what another variant would do with the writes.
type whatIf struct {
	scrolled
	variant string
	counts  whatif.Decisions
	poll
}

// whatIfMsg is what Options.WhatIf told.
type whatIfMsg struct {
	variant string
	counts  whatif.Decisions
	err     error
}

// showWhatIf shows what the other variant would do.
func (m *model) showWhatIf() tea.Cmd {
	w := &whatIf{scrolled: scrolled{m: m}}
	w.lines = w.draw
	m.push(w)
	return w.choose(m.opts.Other)
}

// choose shows what a variant would do.
func (w *whatIf) choose(variant string) tea.Cmd {
	w.variant, w.poll, w.first = variant, poll{}, 0
	return w.ask()
}

// next shows the variant that is some places further, all around.
func (w *whatIf) next(by int) tea.Cmd {
	all := w.m.opts.Variants
	return w.choose(all[(slices.Index(all, w.variant)+by+len(all))%len(all)])
}

func (w *whatIf) Keys() keys {
	k := &w.m.keys
	left, right := k.sideways("variant before", "next variant")
	return keys{
		line: []key.Binding{k.Back, left, right, k.Help, k.Quit},
		does: append(w.steps(), []keyed{
			{k.Left, func() tea.Cmd { return w.next(-1) }}, {k.Right, func() tea.Cmd { return w.next(1) }},
			{k.Back, w.close}, {k.Open, w.close}, {k.WhatIf, w.close},
		}...),
	}
}

// close uncovers what is below, and ends the counting.
func (w *whatIf) close() tea.Cmd {
	end := w.m.opts.WhatIf
	w.m.pop()
	return func() tea.Msg {
		_, err := end("")
		return whatIfMsg{err: err}
	}
}

// Update asks for the counts, and takes them in.
func (w *whatIf) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case Snapshot:
		return w.ask()
	case whatIfMsg:
		if w.variant != msg.variant {
			return nil // another one is shown by now
		}
		w.came(true)
		if msg.err == nil {
			w.counts = msg.counts
		} else {
			w.m.say("", msg.err) // what was counted stays
		}
	}
	return nil
}

// ask asks for the counts when they are not new. Those of a recording stay what they are.
func (w *whatIf) ask() tea.Cmd {
	m := w.m
	if w.known && (m.opts.Recording || m.now.Ended) || !w.due(m.now.Summary.Elapsed) {
		return nil
	}
	ask, variant := m.opts.WhatIf, w.variant
	return func() tea.Msg {
		counts, err := ask(variant)
		return whatIfMsg{variant, counts, err}
	}
}

// draw is the table of what the other variant would do.
func (w *whatIf) draw() []string {
	m, s := w.m, &w.m.styles
	how := "under"
	if _, err := ref.ParseVariant(w.variant); err != nil {
		how = "with"
	}
	lines := []string{s.title.Render("the same writes " + how + " " + w.variant + " (locks; whatif FILE for times)")}
	if !w.known {
		return append(lines, s.dim.Render("deciding …"))
	}
	c := &w.counts
	fewer, more, undecided := uint64(0), uint64(0), uint64(0)
	waited, freed := uint64(0), uint64(0)
	for i := range c.Cells {
		r := &c.Cells[i]
		waited += r.WaitNs
		switch {
		case r.Then == whatif.Undecided:
			undecided += r.Writes
		case r.Now == whatif.Exclusive && r.Then == whatif.Shared:
			fewer += r.Writes
			freed += r.WaitNs
		case r.Now == whatif.Shared && r.Then == whatif.Exclusive:
			more += r.Writes
		}
	}
	what := part{fmt.Sprintf("exclusive → shared %d (%s)", fewer, percentOf(ratio(fewer, c.Writes))), s.good}
	if fewer == 0 {
		what.style = s.dim
	}
	freedPart := part{}
	if freed > 0 {
		freedPart = part{percentOf(ratio(freed, waited)) + " of all waiting was theirs", s.bold}
	}
	lines = append(lines, m.joinParts(part{fmt.Sprintf("of %d", c.Writes), s.bold}, what, part{count(more, "shared → exclusive"), s.warn},
		part{count(undecided, "undecided"), s.dim}, freedPart))
	columns := fitColumns(s.whatIfColumns(), m.width, 0)
	lines = append(lines, s.title.Render(drawHead(columns, "", false)))
	for i := range c.Cells {
		lines = append(lines, drawRow(columns, &c.Cells[i], ""))
	}
	return lines
}

func (s *styles) whatIfColumns() []column[whatif.Cell] {
	looks := map[whatif.Lock]look{whatif.Exclusive: s.warn, whatif.Shared: s.good}
	return []column[whatif.Cell]{
		{title: "WRITES", width: -6, rank: 1, cell: func(r *whatif.Cell, _ int) (string, look) { return export.Amount(float64(r.Writes)), s.bold }},
		{title: "NOW", width: 9, cell: func(r *whatif.Cell, _ int) (string, look) { return r.Now.String(), looks[r.Now] }},
		{title: "THEN", width: 9, cell: func(r *whatif.Cell, _ int) (string, look) { return r.Then.String(), looks[r.Then] }},
		{title: "WAITED", width: -6, rank: 4, cell: func(r *whatif.Cell, _ int) (string, look) { return export.Duration(r.WaitNs), "" }},
		{title: "BECAUSE NOW", width: 16, rank: 2, grow: 26, cell: func(r *whatif.Cell, _ int) (string, look) { return export.SafeText(r.Reason), "" }},
		{title: "BECAUSE THEN", width: 16, rank: 3, grow: 60, cell: func(r *whatif.Cell, _ int) (string, look) { return export.SafeText(r.Why), "" }},
	}
}
