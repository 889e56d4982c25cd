package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// tab is the name of a screen on the line of screens.
type tab struct {
	screen   screen
	from, to int // cells
	text     string
}

// tabs are the names of the screens, shorter where there is no room.
func (m *model) tabs() []tab {
	room := m.width
	if n := ansi.StringWidth(m.tabText()); n > 0 {
		room -= n + 2
	}
	for _, short := range []int{20, 4, 0} {
		at := 0
		var out []tab
		for on := range numScreens {
			name := screenNames[on]
			text := fmt.Sprintf("%d %s", int(on)+1, name[:min(short, len(name))])
			if n := len(m.picture.Findings); on == onFindings && n > 0 {
				text += fmt.Sprintf("(%d)", n)
			}
			text = strings.TrimSpace(text)
			if on == m.screen {
				text = "[" + fmt.Sprintf("%d %s", int(on)+1, name) + "]"
			} else {
				text = " " + text + " "
			}
			out = append(out, tab{on, at, at + len(text), text})
			at += len(text)
		}
		if at <= room || short == 0 {
			return out
		}
	}
	return nil
}

// tabLine draws the names of the screens, and what filters the one that is shown.
func (m *model) tabLine() string {
	var b strings.Builder
	for _, t := range m.tabs() {
		style := m.styles.dim
		switch {
		case t.screen == m.screen:
			style = m.styles.title
		case t.screen == onFindings && len(m.picture.Findings) > 0:
			style = m.styles.bad
		}
		b.WriteString(style.Render(t.text))
	}
	line := b.String()
	text := m.tabText()
	if text != "" && ansi.StringWidth(line)+2 < m.width {
		line += "  " + m.styles.warn.Render(text)
	}
	return line
}

// tabText says what is not all, or not the newest, of what the screen shows.
func (m *model) tabText() string {
	text := ""
	switch {
	case m.screen <= onReasons && m.groups[m.screen].filter != "":
		text = "filter: " + m.groups[m.screen].filter
	case m.screen == onWrites:
		text = strings.TrimSpace(m.writes.state())
		if m.writes.filter != "" {
			text = strings.TrimSpace("filter: " + m.writes.filter + "  " + text)
		}
		if m.paused {
			text = strings.TrimSpace(fmt.Sprintf("PAUSED, %d more  %s", m.writes.held, text))
		}
	}
	return text
}
