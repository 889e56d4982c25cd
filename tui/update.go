package tui

import (
	"context"
	"errors"
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
// opts.QuitAtEnd says so. The terminal is left as it was.
func Run(ctx context.Context, feed <-chan Snapshot, opts Options) error {
	return run(ctx, feed, opts)
}

// run is Run with more options, for tests.
func run(ctx context.Context, feed <-chan Snapshot, opts Options, options ...tea.ProgramOption) error {
	options = append(options, tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithFPS(20))
	if opts.NoColor {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	_, err := tea.NewProgram(newModel(feed, opts), options...).Run()
	if err != nil && (ctx.Err() == nil || !errors.Is(err, tea.ErrProgramKilled)) {
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

// Update takes a message in.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.settle()
		m.scrollDetail(0)
	case snapshotMsg:
		return m, m.feedCame(msg)
	case tea.KeyPressMsg:
		return m, m.pressed(msg)
	}
	return m, nil
}

func (m *model) feedCame(msg snapshotMsg) tea.Cmd {
	if msg.ok {
		m.take(msg.snap)
		if !msg.snap.Ended {
			return m.next()
		}
	}
	m.ended = true
	if m.opts.QuitAtEnd {
		return tea.Quit
	}
	return nil
}

// pressed does what a key stands for.
func (m *model) pressed(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Quit):
		return tea.Quit
	case key.Matches(msg, k.Suspend):
		return tea.Suspend
	case key.Matches(msg, k.Help):
		m.help = !m.help
	case key.Matches(msg, k.Pause):
		m.setPaused(!m.paused)
	case m.help:
		if key.Matches(msg, k.Back) || key.Matches(msg, k.Open) {
			m.help = false
		}
	case m.detail:
		m.pressedInDetail(msg)
	default:
		m.pressedInTable(msg)
	}
	return nil
}

func (m *model) pressedInTable(msg tea.KeyPressMsg) {
	k, page := &m.keys, max(m.layout().rows-1, 1)
	switch {
	case key.Matches(msg, k.Up):
		m.move(-1)
	case key.Matches(msg, k.Down):
		m.move(1)
	case key.Matches(msg, k.PageUp):
		m.move(-page)
	case key.Matches(msg, k.PageDown):
		m.move(page)
	case key.Matches(msg, k.Top):
		m.move(-maxRows)
	case key.Matches(msg, k.Bottom):
		m.move(maxRows)
	case key.Matches(msg, k.Left):
		m.shift = max(m.shift-1, 0)
	case key.Matches(msg, k.Right):
		m.shift = min(m.shift+1, maxShift)
	case key.Matches(msg, k.Open):
		m.open()
	case key.Matches(msg, k.Back):
		m.shift = 0
		m.move(maxRows)
	}
}

func (m *model) pressedInDetail(msg tea.KeyPressMsg) {
	k, page := &m.keys, max(m.layout().body-1, 1)
	switch {
	case key.Matches(msg, k.Up):
		m.scrollDetail(-1)
	case key.Matches(msg, k.Down):
		m.scrollDetail(1)
	case key.Matches(msg, k.PageUp):
		m.scrollDetail(-page)
	case key.Matches(msg, k.PageDown):
		m.scrollDetail(page)
	case key.Matches(msg, k.Top):
		m.detailTop = 0
	case key.Matches(msg, k.Bottom):
		m.scrollDetail(1 << 20)
	case key.Matches(msg, k.Left):
		m.move(-1)
		m.open()
	case key.Matches(msg, k.Right):
		m.move(1)
		m.open()
	case key.Matches(msg, k.Back), key.Matches(msg, k.Open):
		m.detail = false
	}
}

// scrollDetail moves the detail up or down within its lines.
func (m *model) scrollDetail(by int) {
	if !m.detail {
		return
	}
	last := max(len(m.detailLines(m.width))-m.layout().body, 0)
	m.detailTop = min(max(m.detailTop+by, 0), last)
}
