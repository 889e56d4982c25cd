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

// insideTab lists the writes that are in the kernel now and where each one is, those that
// have been there the longest first; of a recording, those that had not ended when it did.
type insideTab struct {
	scrolled
	poll
	now []export.Inside
	err error
}

func newInsideTab(m *model) *insideTab {
	t := &insideTab{scrolled: scrolled{m: m}}
	t.lines = t.draw
	return t
}

func (t *insideTab) About() about { return about{name: "Inside", bandFrom: far} }

func (t *insideTab) Keys() keys {
	k := &t.m.keys
	return keys{line: []key.Binding{k.Quit, k.Help, k.Next, k.Up, k.Down}, does: append(t.steps(), t.m.tabKeys()...)}
}

// insideMsg is what Options.Inside told.
type insideMsg struct {
	now []export.Inside
	err error
}

// Update asks for those that are inside, and takes in the answer.
func (t *insideTab) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case Snapshot, enteredMsg:
		return t.ask()
	case insideMsg:
		t.came(t.known || msg.err == nil)
		t.now, t.err = msg.now, msg.err
		slices.SortStableFunc(t.now, func(a, b export.Inside) int { return cmp.Compare(a.TimeNs, b.TimeNs) })
	}
	return nil
}

// ask asks when that is shown and not new.
func (t *insideTab) ask() tea.Cmd {
	ask := t.m.opts.Inside
	if ask == nil || t.m.now.Ended || t.m.paused || t.m.tab != t || !t.due(t.m.now.Summary.Elapsed) {
		return nil
	}
	return func() tea.Msg {
		now, err := ask()
		return insideMsg{now, err}
	}
}

func (t *insideTab) draw() []string {
	m := t.m
	d := detail{m: m, width: m.width}
	list := t.now
	if m.now.Ended {
		list = m.now.Summary.Totals.Inside
	}
	switch {
	case t.err != nil:
		d.raw([]string{export.SafeText(t.err.Error())}, m.styles.loss)
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
