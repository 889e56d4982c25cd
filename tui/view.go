package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
)

// View draws the screen; nothing before its size is known.
func (m *model) View() tea.View {
	v := tea.NewView(m.render())
	v.AltScreen = true
	v.WindowTitle = "ext4dio-trace"
	v.MouseMode = tea.MouseModeCellMotion
	return v
}

// layout is how the height of the screen is shared out.
type layout struct {
	header int // lines above the body, that of the screens included
	body   int // lines of the table with its head, of the detail, or of the help
	rows   int // lines of the table without its head
}

// layout shares out the height: one line is for the keys.
func (m *model) layout() layout {
	var l layout
	l.header = len(m.headerLines())
	l.body = max(m.height-l.header-1, 0)
	l.rows = max(l.body-1, 0)
	if m.screen == onFindings && m.one == nil {
		l.rows = min(l.rows, max(len(m.picture.Findings), 1), max(l.rows/2, 1))
	}
	return l
}

// Heights from which on there is room for more.
const (
	roomForKernel  = 9
	roomForVerdict = 12
	roomForBand    = 15
	roomForGraphs  = 34
	graphHeight    = 3
	graphsFrom     = 40 // width
)

// headerLines says what is missing, what was done, whether writers are serialised, and
// the more the higher the screen is.
func (m *model) headerLines() []string {
	var lines []string
	add := func(line string) {
		if line != "" {
			lines = append(lines, line)
		}
	}
	h := m.height
	lines = append(lines, m.lossLines()...)
	add(m.sayLine())
	if h < 4 {
		return lines[:min(len(lines), max(h-1, 0))]
	}
	reading := m.one != nil || m.help || m.whatIf != nil
	if h >= roomForKernel {
		add(m.kernelLine())
	}
	if !reading || h >= roomForGraphs {
		add(m.lockLine())
	}
	if h >= roomForVerdict && !reading || h >= roomForGraphs {
		add(m.verdictLine())
	}
	switch {
	case reading || m.screen > onReasons && h < roomForGraphs || m.screen == onProbes || m.width < graphsFrom:
	case h >= roomForGraphs:
		lines = append(lines, m.bandLines(graphHeight)...)
	case h >= roomForBand:
		lines = append(lines, m.bandLines(1)...)
	}
	if !reading {
		lines = append(lines, m.tabLine())
	}
	return lines
}

// sayLine is what the last action said, or what the feed says.
func (m *model) sayLine() string {
	switch {
	case m.said != "" && m.failed:
		return m.styles.bad.Render(export.SafeText(m.said))
	case m.said != "":
		return m.styles.bold.Render(export.SafeText(m.said))
	case m.note != "":
		return m.styles.warn.Render(export.SafeText(m.note))
	}
	return ""
}

func (m *model) render() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	l := m.layout()
	lines := m.headerLines()
	switch {
	case m.help:
		lines = append(lines, slice(m.helpText(), m.helped.top, l.body)...)
	case m.whatIf != nil && m.one == nil:
		lines = append(lines, slice(m.whatIfLines(), m.whatIf.top, l.body)...)
	case m.one != nil:
		lines = append(lines, slice(m.oneLines(), m.one.top, l.body)...)
	case l.body > 0:
		lines = append(lines, m.body(l)...)
	}
	for len(lines) < l.header+l.body {
		lines = append(lines, "")
	}
	lines = append(lines[:min(len(lines), m.height-1)], m.lastLine())
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	out := strings.Join(lines[:min(len(lines), m.height)], "\n")
	if m.opts.ASCII {
		out = toASCII.Replace(out)
	}
	return out
}

// body draws what is below the line of screens.
func (m *model) body(l layout) []string {
	switch m.screen {
	case onWrites:
		return m.writeLines(l)
	case onFindings:
		return m.findingLines(l)
	case onProbes:
		return slice(m.probeLines(), m.probe.top, l.body)
	}
	return m.groupLines(l)
}

// slice is the part of lines from one on that fits.
func slice(lines []string, from, room int) []string {
	from = max(min(from, len(lines)), 0)
	return lines[from:min(from+room, len(lines))]
}

// lastLine is the prompt, or the keys, made from the bindings.
func (m *model) lastLine() string {
	if m.prompt != nil {
		return m.prompt.line(m)
	}
	var parts []part
	for _, b := range m.short() {
		if !b.Enabled() && b.Keys() != nil {
			continue
		}
		h := b.Help()
		desc := h.Desc
		if m.paused && h.Key == m.keys.Pause.Help().Key {
			desc = "resume"
		}
		parts = append(parts, part{h.Key + " " + desc, m.styles.dim})
	}
	return m.joinParts(parts...)
}

// toASCII replaces the characters that a terminal without UTF-8 cannot show.
var toASCII = strings.NewReplacer("▁", ".", "▂", ".", "▃", ":", "▄", ":", "▅", "|", "▆", "|", "▇", "#", "█", "#",
	"…", "~", "▼", "v", "▲", "^", "↑", "^", "↓", "v", "←", "<", "→", ">", "─", "-", "┤", "|")
