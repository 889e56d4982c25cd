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

// layout shares out the height for a screen: one line is for the keys.
func (m *model) layout(s screen) layout {
	header := len(m.headerLines(s))
	body := max(m.height-header-1, 0)
	return layout{header, body, max(body-1, 0)}
}

// Heights from which on there is room for more.
const (
	roomForKernel  = 9
	roomForVerdict = 12 // and for what is advised first
	roomForBand    = 15
	roomForGraphs  = 34
	graphHeight    = 3
	graphsFrom     = 40 // width
)

// headerLines says above a screen what is missing, what was done, whether writers are
// serialised, and the more the higher the terminal is; over what is shown over a tab, less.
func (m *model) headerLines(s screen) []string {
	h, lines := m.height, m.lossLines()
	if say := m.sayLine(); say != "" {
		lines = append(lines, say)
	}
	if h < 4 {
		return lines[:min(len(lines), max(h-1, 0))]
	}
	on, reading := about{bandFrom: far}, true
	if t, ok := s.(tab); ok {
		on, reading = t.About(), false
	}
	if h >= roomForKernel {
		lines = append(lines, m.kernelLine())
	}
	if !reading || h >= roomForGraphs {
		lines = append(lines, m.lockLine())
	}
	if h >= roomForVerdict && !reading || h >= roomForGraphs {
		lines = append(lines, m.verdictLine())
	}
	if h >= roomForVerdict && !reading {
		lines = append(lines, m.adviceLine()...)
	}
	switch {
	case h < on.bandFrom || m.width < graphsFrom:
	case h >= roomForGraphs:
		lines = append(lines, m.bandLines(graphHeight)...)
	default:
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
	case m.now.Note != "":
		return m.styles.warn.Render(export.SafeText(m.now.Note))
	}
	return ""
}

func (m *model) render() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	top := m.top()
	lines, l := m.headerLines(top), m.layout(top)
	if l.body > 0 {
		lines = append(lines, top.View()...)
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

// lastLine is what the top screen has there, or its keys, made from the bindings.
func (m *model) lastLine() string {
	keys := m.top().Keys()
	if keys.text != "" {
		return keys.text
	}
	var parts []part
	for _, b := range keys.line {
		if !b.Enabled() {
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
