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

// saidMsg is how an action ended.
type saidMsg struct {
	text string
	err  error
}

// missedMsg is what Options.Missed told.
type missedMsg struct {
	missed map[string]uint64
	err    error
}

// soughtMsg is a window of a recording that was asked for.
type soughtMsg struct {
	rows []Numbered
	end  bool // select the last of them
	err  error
}

// Run shows the feed until the user quits, ctx ends, or the feed ends and
// opts.QuitAtEnd says so. The terminal is left as it was.
func Run(ctx context.Context, feed <-chan Snapshot, opts Options) error {
	return run(ctx, feed, opts)
}

// run is Run with more options, for tests.
func run(ctx context.Context, feed <-chan Snapshot, opts Options, options ...tea.ProgramOption) error {
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

// Update takes a message in.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.settle()
	case snapshotMsg:
		return m, m.feedCame(msg)
	case tea.KeyPressMsg:
		return m, m.pressed(msg)
	case tea.PasteMsg:
		if m.prompt != nil {
			m.prompt.insert(msg.Content)
		}
	case tea.MouseWheelMsg:
		m.wheel(msg)
	case tea.MouseClickMsg:
		return m, m.clicked(msg)
	case stopMsg:
		return m, suspend()
	case saidMsg:
		m.actionEnded(msg)
	case soughtMsg:
		m.sought(msg)
	case whatIfMsg:
		m.whatIfCame(msg)
	case missedMsg:
		m.asking = false
		if msg.err == nil { // else it is asked again
			m.missed = msg.missed
		}
	}
	return m, nil
}

func (m *model) feedCame(msg snapshotMsg) tea.Cmd {
	if msg.ok {
		m.take(msg.snap)
		if !msg.snap.Ended {
			return tea.Batch(m.next(), m.askMissed(), m.askWhatIf())
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
	if m.said != "" {
		m.said, m.failed = "", false
		m.settle()
	}
	if m.prompt != nil {
		return m.typed(msg)
	}
	switch {
	case key.Matches(msg, k.Quit):
		return tea.Quit
	case key.Matches(msg, k.Suspend):
		return suspend()
	case key.Matches(msg, k.Help):
		m.help = !m.help
		m.helped.top = 0
	case key.Matches(msg, k.Pause):
		m.setPaused(!m.paused)
	case key.Matches(msg, k.Record):
		return m.record()
	case key.Matches(msg, k.Report):
		return m.report()
	case m.help:
		if key.Matches(msg, k.Back) || key.Matches(msg, k.Open) {
			m.help = false
		}
		m.scroll(&m.helped, msg, len(m.helpText()))
	case m.one != nil:
		m.pressedInOne(msg)
	case m.whatIf != nil:
		return m.pressedInWhatIf(msg)
	case key.Matches(msg, k.WhatIf):
		return m.showWhatIf(m.opts.Other)
	case m.changedScreen(msg):
		m.settle()
		return m.enterWrites()
	default:
		return m.pressedInTable(msg)
	}
	m.settle()
	return nil
}

// changedScreen changes the screen when a key asks for that.
func (m *model) changedScreen(msg tea.KeyPressMsg) bool {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Next):
		m.screen = (m.screen + 1) % numScreens
	case key.Matches(msg, k.Previous):
		m.screen = (m.screen + numScreens - 1) % numScreens
	case key.Matches(msg, k.Screens):
		m.screen = screen(msg.Code - '1')
	default:
		return false
	}
	return true
}

// far is more lines than there are.
const far = 1 << 30

// steps is how far a key moves, with page lines on a page.
func (k *keyMap) steps(msg tea.KeyPressMsg, page int) (by int, ok bool) {
	page = max(page-1, 1)
	switch {
	case key.Matches(msg, k.Up):
		return -1, true
	case key.Matches(msg, k.Down):
		return 1, true
	case key.Matches(msg, k.PageUp):
		return -page, true
	case key.Matches(msg, k.PageDown):
		return page, true
	case key.Matches(msg, k.Top):
		return -far, true
	case key.Matches(msg, k.Bottom):
		return far, true
	}
	return 0, false
}

// scroll moves what is shown of n lines.
func (m *model) scroll(l *list, msg tea.KeyPressMsg, n int) {
	if by, ok := m.keys.steps(msg, m.layout().body); ok {
		l.top = max(min(l.top+by, n-m.layout().body), 0)
		l.cursor = l.top
	}
}

func (m *model) pressedInTable(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	if by, ok := k.steps(msg, m.layout().rows); ok {
		return m.move(by)
	}
	switch {
	case key.Matches(msg, k.Left):
		m.shiftColumns(-1)
	case key.Matches(msg, k.Right):
		m.shiftColumns(1)
	case key.Matches(msg, k.Sort) && m.screen <= onReasons:
		m.sortNext()
	case key.Matches(msg, k.Reverse) && m.screen <= onReasons:
		m.groups[m.screen].reverse = !m.groups[m.screen].reverse
		m.arrange()
	case key.Matches(msg, k.Filter) && m.screen <= onWrites:
		m.askFilter()
	case key.Matches(msg, k.GoTo):
		m.askTime()
	case key.Matches(msg, k.Open):
		return m.open()
	case key.Matches(msg, k.Back):
		return m.back()
	}
	m.settle()
	return nil
}

// move selects another line of the screen.
func (m *model) move(by int) tea.Cmd {
	defer m.settle()
	switch m.screen {
	case onWrites:
		if cmd := m.moveWindow(by); cmd != nil {
			return cmd
		}
		m.writes.move(max(min(by, maxRows), -maxRows), m.layout().rows)
	case onFindings:
		m.finding.cursor = max(min(m.finding.cursor+by, len(m.picture.Findings)-1), 0)
	case onProbes:
		m.probe.top = max(min(m.probe.top+by, len(m.probeLines())-m.layout().body), 0)
		m.probe.cursor = m.probe.top
	default:
		g := &m.groups[m.screen]
		if len(g.rows) > 0 {
			g.cursor = max(min(g.cursor+by, len(g.rows)-1), 0)
			g.key, g.chosen = g.rows[g.cursor].Key(), by != -far
		}
	}
	return nil
}

// shiftColumns shows other columns of the table.
func (m *model) shiftColumns(by int) {
	switch {
	case m.screen == onWrites:
		n := len(m.writeColumns())
		m.writes.shift = max(min(m.writes.shift+by, n-3), 0)
	case m.screen <= onReasons:
		g := &m.groups[m.screen]
		g.shift = max(min(g.shift+by, len(groupColumns(m.screen, &m.styles))-3), 0)
	}
}

// back undoes what was chosen on a screen, the last thing first.
func (m *model) back() tea.Cmd {
	defer m.settle()
	switch {
	case m.screen <= onReasons:
		g := &m.groups[m.screen]
		switch {
		case g.filter != "":
			g.filter = ""
		case g.shift > 0:
			g.shift = 0
		default:
			g.chosen = false
		}
		m.arrange()
	case m.screen == onWrites && m.writes.filter != "":
		return m.applyFilter("")
	case m.screen == onWrites:
		m.writes.shift = 0
		m.writes.move(maxRows, m.layout().rows)
	}
	return nil
}
