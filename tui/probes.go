package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
)

// probesTab tells how what is shown was observed.
type probesTab struct {
	scrolled
	missed map[string]uint64 // by the kernel, see Options.Missed
	poll
}

func newProbesTab(m *model) *probesTab {
	t := &probesTab{scrolled: scrolled{m: m}}
	t.lines = t.draw
	return t
}

func (t *probesTab) About() about { return about{name: "Probes", bandFrom: far} }

func (t *probesTab) Keys() keys {
	k := &t.m.keys
	return keys{line: []key.Binding{k.Quit, k.Help, k.Next, k.Up, k.Down}, does: append(t.steps(), t.m.tabKeys()...)}
}

// missedMsg is what Options.Missed told.
type missedMsg struct {
	missed map[string]uint64
	err    error
}

// Update asks what the kernel skipped, and takes in the answer.
func (t *probesTab) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case Snapshot:
		return t.askMissed()
	case missedMsg:
		if t.came(t.known || msg.err == nil); msg.err == nil {
			t.missed = msg.missed
		}
	}
	return nil
}

// askMissed asks what the kernel skipped, when that is shown and not new.
func (t *probesTab) askMissed() tea.Cmd {
	ask := t.m.opts.Missed
	if ask == nil || t.m.now.Ended || t.m.tab != t || !t.due(t.m.now.Summary.Elapsed) {
		return nil
	}
	return func() tea.Msg {
		missed, err := ask()
		return missedMsg{missed, err}
	}
}

// draw is the plan of the probes, what is missing, and on what the variant rests.
func (t *probesTab) draw() []string {
	m, s := t.m, &t.m.styles
	d := detail{m: m, width: m.width}
	d.plain("kernel", "Linux "+export.Safe(m.opts.Kernel))
	d.plain("variant", m.now.Summary.Variant)
	for i, e := range m.now.Summary.Evidence {
		d.plain(map[bool]string{true: "because"}[i == 0], export.SafeText(e))
	}
	l := &m.now.Summary.Losses
	lost := look("")
	if l.Any() {
		lost = s.loss
	}
	d.add("lost", l.String(), lost)
	d.plain("records", fmt.Sprintf("%d writes entered, %d judged, %d filtered out, %d bytes from the kernel", l.Seen, m.now.Summary.Totals.Writes, l.Filtered, l.Bytes))
	if l.Filtered > 0 {
		d.plain("left out", l.LeftOut())
	}
	if m.now.CPU >= 0 {
		d.plain("itself", fmt.Sprintf("%s of one CPU, at most %sB of memory so far", percentOf(m.now.CPU), export.Bytes(int64(m.now.Memory))))
	}
	d.lines = append(d.lines, "")
	d.probes(m.opts.Probes, t.missed)
	return d.lines
}

// probes is the table of the probes: how each is attached, how often the kernel skipped
// it, and what it tells.
func (d *detail) probes(all []Probe, skips map[string]uint64) {
	const function, by, skipped = 27, 15, 7
	s, name := &d.m.styles, 0
	if d.width >= 100 {
		name = 14
	}
	wide := d.width >= 76
	row := func(a, b, c, e string) string {
		return fmt.Sprintf("%-*.*s%-*s%-*s%*s  ", name, name, a, function, b, by, c, skipped, e)
	}
	if wide {
		d.raw([]string{row("PROBE", "FUNCTION", "ATTACHED BY", "SKIPPED") + "TELLS"}, s.title)
	}
	for _, p := range all {
		how, tells, style := p.How, p.Tells, look("")
		missed := "?"
		if n, ok := skips[p.Func]; ok {
			missed = fmt.Sprint(n)
		}
		if how == "" {
			how, missed, tells, style = "NO", "-", "not known: "+p.Tells+" ("+p.Why+")", s.warn
		}
		if !wide {
			d.raw([]string{p.Func + "  " + how}, style)
			continue
		}
		head := row(p.Name, p.Func, how, missed)
		for _, line := range strings.Split(ansi.Wrap(tells, max(d.width-len(head), 10), " "), "\n") {
			d.raw([]string{head + line}, style)
			head = strings.Repeat(" ", len(head))
		}
	}
}
