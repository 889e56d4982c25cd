package tui

import (
	"context"
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// snapshotMsg is a snapshot that came, or the end of the feed.
type snapshotMsg struct {
	snap Snapshot
	ok   bool
}

// Run shows the feed until the user quits, ctx ends, or the feed ends and
// opts.QuitAtEnd says so. The terminal is left as it was. Tests have more options.
func Run(ctx context.Context, feed <-chan Snapshot, opts Options, options ...tea.ProgramOption) error {
	options = append(options, tea.WithoutSignalHandler(), tea.WithFPS(20))
	if opts.NoColor {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	p := tea.NewProgram(newModel(feed, opts), options...)
	if opts.CanSuspend {
		defer passStops(p)()
	}
	// A context of its own would end it without waiting for whoever reads the keys.
	defer context.AfterFunc(ctx, p.Quit)()
	if _, err := p.Run(); err != nil {
		return fmt.Errorf("show live view: %w", err)
	}
	return nil
}

// Init asks for the first snapshot.
func (m *model) Init() tea.Cmd { return m.next() }

// next waits for one snapshot.
func (m *model) next() tea.Cmd {
	feed := m.feed
	return func() tea.Msg {
		s, ok := <-feed
		return snapshotMsg{s, ok}
	}
}

// Update takes a message in: what the user does goes to the top screen, and what came to
// all.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case snapshotMsg:
		cmd = m.feedCame(msg)
	case tea.KeyPressMsg:
		cmd = m.pressed(msg)
	case tea.PasteMsg:
		cmd = m.top().Update(msg)
	case tea.MouseWheelMsg:
		cmd = m.wheel(msg)
	case tea.MouseClickMsg:
		cmd = m.clicked(msg)
	case stopMsg:
		cmd = suspend()
	case saidMsg:
		m.say(msg.text, msg.err)
	default:
		cmd = m.tell(msg)
	}
	m.fit()
	return m, cmd
}

func (m *model) feedCame(msg snapshotMsg) tea.Cmd {
	if msg.ok {
		cmd := m.take(msg.snap)
		if !msg.snap.Ended {
			return tea.Batch(m.next(), cmd)
		}
	}
	m.now.Ended = true
	if m.opts.QuitAtEnd {
		return tea.Quit
	}
	return nil
}

// pressed does what a key stands for on the top screen, or everywhere.
func (m *model) pressed(msg tea.KeyPressMsg) tea.Cmd {
	if m.said != "" {
		m.say("", nil)
		m.fit()
	}
	keys := m.top().Keys()
	if keys.typed != nil {
		return keys.typed(msg)
	}
	for _, k := range append(keys.does, m.everywhere()...) {
		if key.Matches(msg, k.Binding) {
			return k.do()
		}
	}
	return nil
}
