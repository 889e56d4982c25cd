package tui

import (
	"fmt"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
)

// whatIf is the state of what another variant would do.
type whatIf struct {
	list
	variant string
	known   bool
	counts  WhatIf
	asking  bool
	askedAt time.Duration
}

// whatIfMsg is what Options.WhatIf told.
type whatIfMsg struct {
	variant string
	counts  WhatIf
	err     error
}

// showWhatIf shows what a variant would do.
func (m *model) showWhatIf(variant string) tea.Cmd {
	m.whatIf = &whatIf{variant: variant}
	m.settle()
	return m.askWhatIf()
}

// whatIfEvery is how often it is asked, while that is shown.
const whatIfEvery = time.Second

// askWhatIf asks for the counts when they are shown and not new. Those of a recording
// stay what they are.
func (m *model) askWhatIf() tea.Cmd {
	w := m.whatIf
	switch {
	case w == nil || w.asking:
		return nil
	case w.known && (m.opts.Recording || m.ended || m.summary.Elapsed < w.askedAt+whatIfEvery):
		return nil
	}
	w.asking, w.askedAt = true, m.summary.Elapsed
	ask, variant := m.opts.WhatIf, w.variant
	return func() tea.Msg {
		counts, err := ask(variant)
		return whatIfMsg{variant, counts, err}
	}
}

func (m *model) whatIfCame(msg whatIfMsg) {
	w := m.whatIf
	if w == nil || w.variant != msg.variant {
		return // another one is shown now, or none
	}
	w.asking = false
	if msg.err != nil {
		m.said, m.failed = msg.err.Error(), true
		w.known = true // what was counted stays
		return
	}
	w.counts, w.known = msg.counts, true
	m.settle()
}

// pressedInWhatIf does what a key stands for while it is shown.
func (m *model) pressedInWhatIf(msg tea.KeyPressMsg) tea.Cmd {
	k, w := &m.keys, m.whatIf
	by := 0
	switch {
	case key.Matches(msg, k.Left):
		by = -1
	case key.Matches(msg, k.Right):
		by = 1
	case key.Matches(msg, k.Back), key.Matches(msg, k.Open), key.Matches(msg, k.WhatIf):
		m.whatIf = nil
		m.settle()
		end := m.opts.WhatIf
		return func() tea.Msg {
			_, err := end("")
			return whatIfMsg{err: err}
		}
	default:
		m.scroll(&w.list, msg, len(m.whatIfLines()))
		m.settle()
		return nil
	}
	all := m.opts.Variants
	return m.showWhatIf(all[(slices.Index(all, w.variant)+by+len(all))%len(all)])
}

// whatIfLines is the table of what the other variant would do.
func (m *model) whatIfLines() []string {
	w, s := m.whatIf, &m.styles
	lines := []string{s.title.Render("the same writes under " + w.variant + " (locks; whatif FILE for times)")}
	if !w.known {
		return append(lines, s.dim.Render("deciding …"))
	}
	c := &w.counts
	fewer, more := uint64(0), uint64(0)
	waited, freed := uint64(0), uint64(0)
	for i := range c.Rows {
		r := &c.Rows[i]
		waited += r.WaitNs
		switch {
		case r.Now == "exclusive" && r.Then == "shared":
			fewer += r.Writes
			freed += r.WaitNs
		case r.Now == "shared" && r.Then == "exclusive":
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
		part{count(c.Undecided, "undecided"), s.dim}, freedPart))
	columns := fitColumns(m.whatIfColumns(), m.width, 0)
	lines = append(lines, s.title.Render(drawHead(columns, "", false)))
	for i := range c.Rows {
		lines = append(lines, drawRow(columns, &c.Rows[i], ""))
	}
	return lines
}

func (m *model) whatIfColumns() []column[WhatIfRow] {
	s := &m.styles
	lockLook := func(lock string) look {
		return map[string]look{"exclusive": s.warn, "shared": s.good}[lock]
	}
	return []column[WhatIfRow]{
		{title: "WRITES", width: -6, rank: 1, cell: func(r *WhatIfRow, _ int) (string, look) { return export.Amount(float64(r.Writes)), s.bold }},
		{title: "NOW", width: 9, cell: func(r *WhatIfRow, _ int) (string, look) { return r.Now, lockLook(r.Now) }},
		{title: "THEN", width: 9, cell: func(r *WhatIfRow, _ int) (string, look) { return r.Then, lockLook(r.Then) }},
		{title: "WAITED", width: -6, rank: 4, cell: func(r *WhatIfRow, _ int) (string, look) { return export.Duration(r.WaitNs), "" }},
		{title: "BECAUSE NOW", width: 16, rank: 2, grow: 26, cell: func(r *WhatIfRow, _ int) (string, look) { return export.SafeText(r.Reason), "" }},
		{title: "BECAUSE THEN", width: 16, rank: 3, grow: 60, cell: func(r *WhatIfRow, _ int) (string, look) { return export.SafeText(r.Why), "" }},
	}
}
