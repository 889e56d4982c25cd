package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
)

// adviceTab says what costs time, why, and what changes it. The first of it stands above the
// other tabs, too.
type adviceTab struct {
	scrolled
	text  []string // for that width; what is advised changes once a second at most
	width int
}

func newAdviceTab(m *model) *adviceTab {
	t := &adviceTab{scrolled: scrolled{m: m}}
	t.lines = func() []string { return t.text }
	return t
}

func (t *adviceTab) About() about {
	return about{name: "Advice", found: len(t.m.now.Summary.Advice), stands: t.m.styles.warn, bandFrom: roomForGraphs}
}

// Update puts what is advised now into lines.
func (t *adviceTab) Update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(Snapshot); ok {
		t.width = 0
	}
	return nil
}

// Fit breaks the lines where the terminal is narrower or wider than before.
func (t *adviceTab) Fit(l layout) {
	if t.width != t.m.width {
		t.text, t.width = t.m.adviceLines(), t.m.width
	}
	t.scrolled.Fit(l)
}

func (t *adviceTab) Keys() keys {
	k := &t.m.keys
	return keys{
		line: []key.Binding{k.Quit, k.Help, k.Next, k.Up, k.Down, k.Pause, k.WhatIf, k.Record, k.Report},
		does: append(t.steps(), t.m.tabKeys()...),
	}
}

// adviceLines are the findings, in sentences.
func (m *model) adviceLines() []string {
	s := &m.styles
	all := m.now.Summary.Advice
	if len(all) == 0 {
		return m.wrapped("", m.noAdvice(), s.dim)
	}
	var lines []string
	for i := range all {
		a := all[i].Shown()
		if i > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, m.wrapped(fmt.Sprintf("%d. ", i+1), a.Sentence, s.bold)...)
		lines = append(lines, m.wrapped("   why  ", a.Why, "")...)
		for _, r := range a.Remedies {
			lines = append(lines, m.wrapped("   do   ", r, s.good)...)
		}
		lines = append(lines, m.wrapped("   sure ", a.Sure, s.dim)...)
	}
	if why := m.adviceBlind(); why != "" {
		lines = append(lines, "")
		lines = append(lines, m.wrapped("", why, s.warn)...)
	}
	return lines
}

// noAdvice says why there is none: that nothing was found, or that nobody could.
func (m *model) noAdvice() string {
	blind := m.adviceBlind()
	switch {
	case m.now.Summary.Totals.Writes == 0:
		return m.nothingYet()
	case m.now.Summary.Advice == nil:
		return "these writes are not looked at for advice"
	case blind != "":
		return "no advice so far, but " + blind
	}
	return "no advice: nothing that is known to cost writes time costs these enough to be worth a change"
}

// adviceBlind says of what advice cannot be given, empty when all was seen.
func (m *model) adviceBlind() string {
	t := &m.now.Summary.Totals
	var out []string
	if m.lossLine() != "" || m.now.Missing != "" {
		out = append(out, "what was lost may be the cause of more")
	}
	if w := &m.now.Picture.Waited; w.Unseen > 0 {
		out = append(out, fmt.Sprintf("of %s it is not known whether they waited", export.Plural(w.Unseen, "write")))
	} else if text := m.noHolders(); text != "" {
		out = append(out, text)
	}
	if n := t.Verdicts[judge.Undecided]; n > 0 {
		out = append(out, fmt.Sprintf("%s could not be judged", export.Plural(n, "write")))
	}
	return strings.Join(out, "; ")
}

// adviceLine is the first finding, above all tabs but its own; nil when there is none.
func (m *model) adviceLine() []string {
	all := m.now.Summary.Advice
	if len(all) == 0 {
		return nil
	}
	if _, own := m.tab.(*adviceTab); own {
		return nil
	}
	a := all[0].Shown()
	where := fmt.Sprintf(" (%d: all)", len(m.tabs))
	text := fmt.Sprintf("%s lost: %s", percentOf(a.Share()), a.Sentence)
	if a.TimeLost == 0 {
		text = a.Sentence
	}
	room := max(m.width-ansi.StringWidth(where)-8, 1)
	return []string{m.styles.label.Render("advice  ") + m.styles.warn.Render(ansi.Truncate(text, room, "…")) + m.styles.dim.Render(where)}
}

// wrapped breaks a text into lines as wide as the terminal. They stand below the text, behind
// what it begins with.
func (m *model) wrapped(head, text string, style look) (lines []string) {
	room := max(m.width-ansi.StringWidth(head), 8)
	for i, part := range strings.Split(ansi.Wrap(text, room, " "), "\n") {
		if i > 0 {
			head = strings.Repeat(" ", ansi.StringWidth(head))
		}
		lines = append(lines, m.styles.label.Render(head)+style.Render(part))
	}
	return lines
}
