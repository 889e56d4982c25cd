package tui

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
)

// prompt is a line that is being typed.
type prompt struct {
	label string
	text  string
	done  func(text string) tea.Cmd
}

// maxPrompt bounds what is typed or pasted, bytes.
const maxPrompt = 400

// insert adds what was typed or pasted, without what is not for a line.
func (p *prompt) insert(text string) {
	for _, r := range text {
		if r >= ' ' && r != 0x7f && len(p.text) < maxPrompt {
			p.text += string(r)
		}
	}
}

// line draws the prompt; of a long text its end.
func (p *prompt) line(m *model) string {
	room := max(m.width-len(p.label)-2, 8)
	text := tail(export.SafeText(p.text), room)
	return m.styles.bold.Render(p.label) + text + m.styles.selected.Render(" ")
}

// typed takes a key while a line is being typed.
func (m *model) typed(msg tea.KeyPressMsg) tea.Cmd {
	p := m.prompt
	switch msg.String() {
	case "enter":
		m.prompt = nil
		cmd := p.done(p.text)
		m.settle()
		return cmd
	case "esc", "ctrl+c":
		m.prompt = nil
	case "backspace":
		_, n := utf8.DecodeLastRuneInString(p.text)
		p.text = p.text[:len(p.text)-n]
	case "ctrl+u":
		p.text = ""
	case "ctrl+w":
		p.text = strings.TrimRight(p.text, " ")
		p.text = p.text[:strings.LastIndexByte(p.text, ' ')+1]
	default:
		p.insert(msg.Text)
	}
	return nil
}

// askFilter asks what to show of the screen.
func (m *model) askFilter() {
	if m.screen == onWrites {
		if m.opts.Filter == nil {
			return
		}
		m.prompt = &prompt{label: "filter (lock=exclusive verdict!=agree pos>1m comm~mysqld): ", text: strings.TrimLeft(m.writes.filter+" ", " "), done: func(text string) tea.Cmd {
			return m.applyFilter(text)
		}}
		if m.width < 100 {
			m.prompt.label = "filter: "
		}
		return
	}
	g := &m.groups[m.screen]
	m.prompt = &prompt{label: "names or reasons with: ", text: g.filter, done: func(text string) tea.Cmd {
		g.filter, g.chosen = strings.TrimSpace(text), false
		m.arrange()
		return nil
	}}
}

// askTime asks for the time of a recording to go to.
func (m *model) askTime() {
	m.prompt = &prompt{label: "go to time (12.5s) or write (#1000): ", done: func(text string) tea.Cmd {
		at, byNumber, err := parsePlace(text)
		if err != "" {
			m.said, m.failed = err, true
			return nil
		}
		m.screen = onWrites
		return m.seek(Seek{At: at, ByNumber: byNumber})
	}}
}

// parsePlace reads a time since the start of a recording, in ns, or the number of a write.
func parsePlace(text string) (at uint64, byNumber bool, err string) {
	text = strings.TrimSpace(text)
	if number, ok := strings.CutPrefix(text, "#"); ok {
		n, e := strconv.ParseUint(number, 10, 64)
		if e != nil || n == 0 {
			return 0, false, strconv.Quote(text) + " is no write: give its number, such as #1000"
		}
		return n, true, ""
	}
	d, e := time.ParseDuration(text)
	if seconds, e2 := strconv.ParseFloat(text, 64); e != nil && e2 == nil {
		d, e = time.Duration(seconds*float64(time.Second)), nil
	}
	if e != nil || d < 0 {
		return 0, false, strconv.Quote(text) + " is no time since the start: give one such as 12.5s"
	}
	return uint64(d), false, ""
}
