package tui

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/export"
)

// prompt is a line that is being typed. The tab that it is about goes on to be shown, but
// takes neither keys nor mouse.
type prompt struct {
	tab
	m     *model
	label string
	text  string
	done  func(text string) tea.Cmd
}

// maxPrompt bounds what is typed or pasted, bytes.
const maxPrompt = 400

// ask has a line typed.
func (m *model) ask(label, text string, done func(text string) tea.Cmd) tea.Cmd {
	m.push(&prompt{m.tab, m, label, text, done})
	return nil
}

// Keys are all keys; the prompt stands in their line.
func (p *prompt) Keys() keys { return keys{typed: p.typed, text: p.line()} }

// Mouse does nothing: the tab waits for what is typed.
func (p *prompt) Mouse(mouse) tea.Cmd { return nil }

// Update takes what is pasted.
func (p *prompt) Update(msg tea.Msg) tea.Cmd {
	if msg, ok := msg.(tea.PasteMsg); ok {
		p.insert(msg.Content)
	}
	return nil
}

// insert adds what was typed or pasted, without what is not for a line.
func (p *prompt) insert(text string) {
	for _, r := range text {
		if r >= ' ' && r != 0x7f && len(p.text) < maxPrompt {
			p.text += string(r)
		}
	}
}

// line draws the prompt; of a long text its end.
func (p *prompt) line() string {
	s := &p.m.styles
	room := max(p.m.width-len(p.label)-2, 8)
	return s.bold.Render(p.label) + tail(export.SafeText(p.text), room) + s.selected.Render(" ")
}

// typed takes a key.
func (p *prompt) typed(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "enter":
		p.m.pop()
		return p.done(p.text)
	case "esc", "ctrl+c":
		return p.m.pop()
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
