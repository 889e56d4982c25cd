package tui

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
)

// insideList is the writes that are in the kernel now, those that have been there the
// longest first; when tracing has ended, those that had not ended when it did. The tabs
// that show them share it.
type insideList struct {
	m *model
	poll
	now []export.Inside
	err error
}

// insideMsg is what Options.Inside told.
type insideMsg struct {
	now []export.Inside
	err error
}

// ask asks when t, which shows the list, is shown, and what is known is not new.
func (l *insideList) ask(t tab) tea.Cmd {
	m, ask := l.m, l.m.opts.Inside
	if ask == nil || m.now.Ended || m.paused || m.tab != t || !l.due(m.now.Summary.Elapsed) {
		return nil
	}
	return func() tea.Msg {
		now, err := ask()
		return insideMsg{now, err}
	}
}

// take takes in the answer.
func (l *insideList) take(msg insideMsg) {
	l.came(l.known || msg.err == nil)
	l.now, l.err = msg.now, msg.err
	slices.SortStableFunc(l.now, func(a, b export.Inside) int { return cmp.Compare(a.TimeNs, b.TimeNs) })
}

// list is what is known.
func (l *insideList) list() []export.Inside {
	if l.m.now.Ended {
		return l.m.now.Summary.Totals.Inside
	}
	return l.now
}

// insideTab lists the writes that are in the kernel now and where each one is.
type insideTab struct{ scrolled }

func newInsideTab(m *model) *insideTab {
	t := &insideTab{scrolled{m: m}}
	t.lines = t.draw
	return t
}

func (t *insideTab) About() about { return about{name: "Inside", bandFrom: far} }

func (t *insideTab) Keys() keys {
	k := &t.m.keys
	return keys{line: []key.Binding{k.Quit, k.Help, k.Next, k.Up, k.Down}, does: append(t.steps(), t.m.tabKeys()...)}
}

// Update asks for those that are inside, and takes in the answer.
func (t *insideTab) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case Snapshot, enteredMsg:
		return t.m.inside.ask(t)
	case insideMsg:
		t.m.inside.take(msg)
	}
	return nil
}

func (t *insideTab) draw() []string {
	m := t.m
	d := detail{m: m, width: m.width}
	list := m.inside.list()
	switch {
	case m.inside.err != nil:
		d.raw([]string{export.SafeText(m.inside.err.Error())}, m.styles.loss)
	case m.now.Ended && len(list) == 0:
		d.raw([]string{"no write was in the kernel when tracing ended"}, m.styles.dim)
	case m.opts.Inside == nil && !m.now.Ended:
		d.raw([]string{"the recording is being read"}, m.styles.dim)
	case len(list) == 0:
		d.raw([]string{"no write is in the kernel now"}, m.styles.dim)
	}
	for i := range list {
		for k, line := range list[i].Lines() {
			style := m.styles.dim
			if k == 0 {
				style = m.styles.bold
			}
			d.raw(strings.Split(ansi.Wrap(line, max(m.width-1, 10), " "), "\n"), style)
		}
	}
	return d.lines
}
