package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode"
	"github.com/ext4dio/ext4dio-trace/export"
)

// View draws the screen; nothing before its size is known.
func (m *model) View() tea.View {
	v := tea.NewView(m.render())
	v.AltScreen = true
	v.WindowTitle = "ext4dio-trace"
	return v
}

func (m *model) render() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	l := m.layout()
	lines := m.headerLines()[:l.header]
	switch {
	case m.help:
		lines = append(lines, m.helpLines(l.body)...)
	case m.detail:
		all := m.detailLines(m.width)
		from := min(m.detailTop, len(all))
		lines = append(lines, all[from:min(from+l.body, len(all))]...)
	default:
		lines = append(lines, m.tableLines(l)...)
	}
	for len(lines) < l.header+l.body {
		lines = append(lines, "")
	}
	lines = append(lines, m.helpLine())
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	return strings.Join(lines[:min(len(lines), m.height)], "\n")
}

// part is a piece of a line.
type part struct {
	text  string
	style look
}

// joinParts puts those parts side by side that fit.
func (m *model) joinParts(parts ...part) string {
	var b strings.Builder
	used := 0
	for _, p := range parts {
		if p.text == "" {
			continue
		}
		w := ansi.StringWidth(p.text)
		if used > 0 && used+2+w > m.width {
			continue
		}
		if used > 0 {
			b.WriteString("  ")
			used += 2
		}
		b.WriteString(p.style.Render(p.text))
		used += w
	}
	return b.String()
}

// headerLines says what is missing, what is traced and what was seen, the most
// needed first.
func (m *model) headerLines() []string {
	s, t := &m.styles, &m.summary.Totals
	var lines []string
	if l := m.lossLine(); l != "" {
		lines = append(lines, l)
	}
	state := part{}
	switch {
	case m.ended:
		state = part{"ENDED", s.warn}
	case m.paused:
		state = part{fmt.Sprintf("PAUSED, %d more", m.late), s.warn}
	case !m.follow && len(m.rows) > 0:
		state = part{fmt.Sprintf("HELD, %d newer", m.end()-1-m.cursor), s.warn}
	}
	lines = append(lines, m.joinParts(
		state, part{"Linux " + export.Safe(m.opts.Kernel), s.title},
		part{export.Amount(m.rate()) + " writes/s", s.bold}, part{export.Duration(uint64(m.summary.Elapsed)), s.dim}))
	lines = append(lines, m.lockLine(t), m.verdictLine(t))
	if m.note != "" {
		lines = append(lines, s.warn.Render(export.SafeText(m.note)))
	}
	variant := m.summary.Variant
	if variant == "" {
		variant = "not known yet"
	}
	why := ""
	if len(m.summary.Evidence) > 0 {
		why = " (" + export.SafeText(strings.Join(m.summary.Evidence, "; ")) + ")"
	}
	lines = append(lines, s.label.Render("variant")+" "+variant+s.dim.Render(why))
	probes := fmt.Sprintf("%d attached (%s)", m.opts.Attached, m.opts.Mode)
	if len(m.opts.Missing) > 0 {
		probes += s.warn.Render(", without " + strings.Join(m.opts.Missing, ", "))
	}
	lines = append(lines, s.label.Render("probes")+"  "+probes)
	if l := m.reasonLine(t); l != "" {
		lines = append(lines, l)
	}
	return lines
}

// lossLine says what is known to be missing, "" when nothing is.
func (m *model) lossLine() string {
	var text []string
	if m.summary.Losses.Any() {
		text = append(text, "LOST: "+m.summary.Losses.String())
	}
	if n := m.summary.Totals.Incomplete; n > 0 {
		text = append(text, fmt.Sprintf("INCOMPLETE: %d not judged", n))
	}
	if len(text) == 0 {
		return ""
	}
	return m.styles.loss.Render(strings.Join(text, "; "))
}

func (m *model) lockLine(t *export.Totals) string {
	s := &m.styles
	n := t.Writes
	return m.joinParts(
		part{fmt.Sprintf("%s %d%s", "shared", t.Shared, percent(t.Shared, n)), s.good},
		part{fmt.Sprintf("%s %d%s", "exclusive", t.Exclusive, percent(t.Exclusive, n)), s.warn},
		part{count(t.NoDIO, "no direct I/O"), s.dim},
		part{count(t.NoLock, "lock unknown"), s.dim},
		part{count(t.Restarted, "restarted"), s.bold},
		part{count(t.Drained, "drained"), s.bold})
}

func (m *model) verdictLine(t *export.Totals) string {
	s := &m.styles
	var parts []part
	for _, k := range []decode.Kind{decode.Unsafe, decode.Differs, decode.Slower} {
		if n := t.Verdicts[k]; n > 0 {
			parts = append(parts, part{fmt.Sprintf("%s %d", strings.ToUpper(k.String()), n), s.verdict(k)})
		}
	}
	parts = append(parts, part{fmt.Sprintf("agree %d%s", t.Verdicts[decode.Agree], percent(t.Verdicts[decode.Agree], t.Writes)), s.good})
	parts = append(parts, part{fmt.Sprintf("undecided %d", t.Verdicts[decode.Undecided]), s.dim})
	if t.Disagreements() == 0 {
		parts = append(parts, part{"no disagreement", s.dim})
	}
	return m.joinParts(parts...)
}

func (m *model) reasonLine(t *export.Totals) string {
	reasons := t.Reasons()
	if len(reasons) == 0 {
		return ""
	}
	parts := []part{{"exclusive by", m.styles.label}}
	for _, c := range reasons {
		parts = append(parts, part{fmt.Sprintf("%s %d", export.Safe(c.Reason), c.N), m.styles.bold})
	}
	return m.joinParts(parts...)
}

func percent(n, of uint64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.0f%%)", float64(n)/float64(of)*100)
}

func count(n uint64, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d", what, n)
}

// helpLine is the last line: the keys, made from the bindings.
func (m *model) helpLine() string {
	var parts []part
	for _, b := range m.keys.short() {
		h := b.Help()
		desc := h.Desc
		if m.paused && h.Key == m.keys.Pause.Help().Key {
			desc = "resume"
		}
		parts = append(parts, part{h.Key + " " + desc, m.styles.dim})
	}
	return m.joinParts(parts...)
}

// legend explains what is not a word.
var legend = []string{
	"LOOKUPS  block,blocks=found and what: W written, U unwritten, H hole, D delayed, E error; | parts passes",
	"PASS     runs of the checks under i_rwsem; 2: restarted with the exclusive lock",
	"LOCK     i_rwsem at iomap_dio_rw; none: the write never got there",
	"FW       IOMAP_DIO_FORCE_WAIT; DRAIN: waited for direct I/O in flight; -: no; ?: not known",
}

// helpLines is the help screen: the bindings in up to three columns, and then
// what the table means.
func (m *model) helpLines(height int) []string {
	var bindings []key.Binding
	for _, b := range m.keys.full() {
		if b.Enabled() {
			bindings = append(bindings, b)
		}
	}
	const keyWidth, width = 7, 20
	columns := min(max(m.width/width, 1), 3)
	perColumn := (len(bindings) + columns - 1) / columns
	lines := make([]string, 0, height)
	for i := range perColumn {
		var b strings.Builder
		for j := i; j < len(bindings); j += perColumn {
			h := bindings[j].Help()
			b.WriteString(m.styles.bold.Render(pad(h.Key, keyWidth)) + " " + pad(h.Desc, width-keyWidth-1))
		}
		lines = append(lines, b.String())
	}
	for _, l := range legend {
		lines = append(lines, strings.Split(ansi.Wrap(l, m.width, " "), "\n")...)
	}
	return lines[:min(len(lines), height)]
}

// pad fills s with spaces to width cells.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}
