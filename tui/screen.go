package tui

import (
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// screen is what fills the terminal below the header: a tab, or what is shown over one.
// The user's keys and mouse reach the top one only, so that none that is covered changes.
type screen interface {
	// Update takes in what concerns the screen besides keys and mouse. It comes to all
	// tabs, to those that are not shown, too, and to all that is shown over one.
	Update(msg tea.Msg) tea.Cmd
	// View draws the screen into the room that Fit told last.
	View() []string
	// Keys are the keys that it takes.
	Keys() keys
	// Mouse takes a turn of the wheel, or a click.
	Mouse(e mouse) tea.Cmd
	// Fit tells the room that there is, and brings what is selected and shown within it.
	// It comes after each message to those screens that are shown or covered.
	Fit(l layout)
}

// tab is a screen of which one is always there; more is shown over it.
type tab interface {
	screen
	About() about
}

// about is what the header says of a tab, and what it leaves to it.
type about struct {
	name     string
	note     string // what of the writes is not shown, or not the newest
	found    int    // what it lists that somebody should look at
	stands   look   // how its name stands out then
	bandFrom int    // height from which the graphs over time stand above it
}

// keys are the keys of a screen.
type keys struct {
	line  []key.Binding                     // those on the last line, the most needed first
	does  []keyed                           // what they do, but for those that do the same everywhere
	typed func(msg tea.KeyPressMsg) tea.Cmd // takes all keys instead
	text  string                            // stands on the last line instead
}

// keyed is a key and what it does.
type keyed struct {
	key.Binding
	do func() tea.Cmd
}

// mouse is what was done with the mouse on a screen.
type mouse struct {
	wheel   int // lines that it turned on, 0 for a click
	x, line int // of a click; the first line of the screen is 0
}

// layout is how the height of the terminal is shared out.
type layout struct {
	header int // lines above the screen, that with the names of the tabs included
	body   int // lines of the screen
	rows   int // lines of a table without its head
}

// far is more lines than there are.
const far = 1 << 30

// enteredMsg tells a tab that it is shown now.
type enteredMsg struct{}

// top is the screen that has the keys and the mouse.
func (m *model) top() screen {
	if n := len(m.over); n > 0 {
		return m.over[n-1]
	}
	return m.tab
}

// turn shows another tab.
func (m *model) turn(to tab) tea.Cmd {
	m.tab = to
	return to.Update(enteredMsg{})
}

// turnBy shows the tab that is some places further, all around.
func (m *model) turnBy(by int) tea.Cmd {
	n := len(m.tabs)
	return m.turn(m.tabs[(slices.Index(m.tabs, m.tab)+by+n)%n])
}

// push shows s over what is shown.
func (m *model) push(s screen) { m.over = append(m.over, s) }

// pop uncovers what is below the top screen.
func (m *model) pop() tea.Cmd {
	m.over = m.over[:len(m.over)-1]
	return nil
}

// tell brings a message to all screens.
func (m *model) tell(msg tea.Msg) tea.Cmd {
	var all []tea.Cmd
	for _, t := range m.tabs {
		all = append(all, t.Update(msg))
	}
	for _, s := range m.over {
		all = append(all, s.Update(msg))
	}
	return tea.Batch(all...)
}

// fit tells the screens the room that they have, the covered ones what they will have.
func (m *model) fit() {
	m.tab.Fit(m.layout(m.tab))
	for _, s := range m.over {
		s.Fit(m.layout(s))
	}
}

// steps are the keys that move, with page lines on a page.
func (m *model) steps(page int, move func(by int) tea.Cmd) []keyed {
	k := &m.keys
	page = max(page-1, 1)
	by := func(n int) func() tea.Cmd { return func() tea.Cmd { return move(n) } }
	return []keyed{
		{k.Up, by(-1)}, {k.Down, by(1)}, {k.PageUp, by(-page)}, {k.PageDown, by(page)}, {k.Top, by(-far)}, {k.Bottom, by(far)},
	}
}

// scrolled is a screen of lines that are read.
type scrolled struct {
	m     *model
	lines func() []string
	first int // that is shown
	room  layout
}

func (s *scrolled) Update(tea.Msg) tea.Cmd { return nil }

func (s *scrolled) View() []string { return slice(s.lines(), s.first, s.room.body) }

func (s *scrolled) Mouse(e mouse) tea.Cmd { return s.move(e.wheel) }

func (s *scrolled) Fit(l layout) {
	s.room = l
	s.first = max(min(s.first, len(s.lines())-l.body), 0)
}

func (s *scrolled) move(by int) tea.Cmd {
	s.first += by
	return nil
}

func (s *scrolled) steps() []keyed { return s.m.steps(s.room.body, s.move) }

// askEvery is how often what is shown is asked for again.
const askEvery = time.Second

// poll says when to ask for what somebody else counts.
type poll struct {
	known, asking bool
	at            time.Duration // of what is shown, when it was asked for last
}

// due reports whether to ask now, and takes it that it is asked for.
func (p *poll) due(now time.Duration) bool {
	if p.asking || p.known && now < p.at+askEvery {
		return false
	}
	p.asking, p.at = true, now
	return true
}

// came says that there is an answer; without one it is asked for again.
func (p *poll) came(known bool) { p.asking, p.known = false, known }

// slice is the part of lines from one on that fits.
func slice(lines []string, from, room int) []string {
	from = max(min(from, len(lines)), 0)
	return lines[from:min(from+room, len(lines))]
}
