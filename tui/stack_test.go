package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// under are states of screens that something is shown over: lists that are scrolled, with
// the selected line in the middle, so that each step too much is seen.
var under = []struct {
	name string
	keys string // the first one turns to the tab
}{
	{"files", "1 end up up up up"},
	{"processes", "2 s end up up up up up up right"},
	{"reasons", "3 end up S"},
	{"writes", "4 end up up up up up up up right"},
	{"findings", "5 end up"},
	{"probes", "6 down down"},
	{"one write", "4 end up up enter down down"},
	{"what-if", "x right left down"},
}

// covers are what hides a tab, and the key that shows it.
var covers = []struct {
	name, open string
	// commands are keys that change the tab on purpose.
	commands string
}{
	{"one write", "enter", "left right h l"}, // the list goes along
	{"help", "?", ""},
	{"what-if", "x", ""},
	{"filter", "/", "enter"},
	{"time", "t", "enter"},
	{"findings", "5", ""},
	{"probes", "6", ""},
}

// gesture is something that happens to the program.
type gesture struct {
	name string
	do   func(m *model)
	// same reports whether it does the same to the tab that is hidden as to one that is not.
	same func(m *model) bool
}

// gestures are all keys, the mouse everywhere, and what else comes.
func gestures(m *model, s Snapshot) []gesture {
	var all []gesture
	keys := []string{"0", "7", "#", "a", "ctrl+u", "ctrl+w"}
	for _, b := range m.keys.all {
		keys = append(keys, b.Keys()...)
	}
	for _, k := range keys {
		all = append(all, gesture{k, func(m *model) { press(m, k) }, func(m *model) bool {
			return strings.Contains(" space p r w ", " "+k+" ") && !isTyped(m)
		}})
	}
	message := func(name string, msg tea.Msg) {
		all = append(all, gesture{name, func(m *model) { send(m, msg) }, func(*model) bool { return false }})
	}
	message("paste", tea.PasteMsg{Content: "lock=shared"})
	message("wheel up", tea.MouseWheelMsg{Button: tea.MouseWheelUp, X: 5, Y: 9})
	message("wheel down", tea.MouseWheelMsg{Button: tea.MouseWheelDown, X: 5, Y: 9})
	for y := range m.height {
		for x := 3; x < m.width; x += m.width / 2 {
			message(fmt.Sprintf("click at %d,%d", x, y), tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
		}
	}
	width, height := m.width, m.height
	return append(all,
		gesture{"resize", func(m *model) { resize(m, 100, 36); resize(m, width, height) }, func(m *model) bool { return depth(m) > 0 }},
		gesture{"snapshot", func(m *model) { take(m, s) }, func(*model) bool { return true }})
}

// send brings m a message, and does what it asks for.
func send(m *model, msg tea.Msg) {
	if _, cmd := m.Update(msg); cmd != nil {
		m.Update(cmd())
	}
}

// What happens to a screen reaches none that it hides: afterwards that is as it was, in
// what is selected, filtered, sorted and scrolled.
func TestHiddenScreensDoNotChange(t *testing.T) {
	recording, ended := recorded(t, "wrong-tail-unchecked")
	live, goesOn := testOptions, ended
	live.Window, goesOn.Ended = nil, false
	for _, of := range []struct {
		name string
		o    Options
		s    Snapshot
		size [2]int
	}{
		{"recording", recording, ended, [2]int{80, 24}}, {"live", live, goesOn, [2]int{50, 12}},
	} {
		for _, tab := range under {
			for _, cover := range covers {
				t.Run(fmt.Sprintf("%s under %s, %s", tab.name, cover.name, of.name), func(t *testing.T) {
					checkHidden(t, of.o, of.s, of.size, tab.keys, cover.open, cover.commands)
				})
			}
		}
	}
}

// checkHidden shows something over a tab, does everything there, uncovers the tab, and
// compares it with its twin, to which nothing of that has happened.
func checkHidden(t *testing.T, o Options, s Snapshot, size [2]int, keys, open, commands string) {
	tabKeys := strings.Fields(keys)
	begin := func() *model {
		m := newModel(nil, o)
		resize(m, size[0], size[1])
		take(m, s)
		press(m, tabKeys...)
		return m
	}
	m, twin := begin(), begin()
	wrong := 0
	for _, g := range gestures(m, s) {
		if slices.Contains(strings.Fields(commands), g.name) {
			continue
		}
		press(m, open)
		if depth(m) <= depth(twin) && onTab(m) == onTab(twin) {
			t.Skip("it is not offered there")
		}
		if g.same(m) {
			g.do(twin)
		}
		g.do(m)
		for i := 0; depth(m) > depth(twin); i++ {
			if press(m, "esc"); i > 5 {
				t.Fatalf("after %s, esc does not lead back", g.name)
			}
		}
		press(m, tabKeys[0], "a") // which says nothing, and takes away what was said
		press(twin, tabKeys[0], "a")
		if got, want := ansi.Strip(m.View().Content), ansi.Strip(twin.View().Content); got != want {
			if wrong++; wrong == 1 {
				t.Errorf("%s changes what is hidden:\n%s\nwithout it:\n%s", g.name, got, want)
			}
			m, twin = begin(), begin()
		}
	}
	if wrong > 1 {
		t.Errorf("and %d more do", wrong-1)
	}
}

// depth is how many screens are shown over a tab.
func depth(m *model) int { return len(m.over) }

// isTyped reports whether a line is typed.
func isTyped(m *model) bool { return m.top().Keys().typed != nil }

// onTab is the tab that is shown, or covered.
func onTab(m *model) int { return slices.Index(m.tabs, m.tab) }

// What was opened last is closed first, and typing comes before all.
func TestLastOpenedIsClosedFirst(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	m := newModel(nil, o)
	resize(m, 100, 24)
	take(m, s)
	shows := func(want string) {
		t.Helper()
		if text := ansi.Strip(m.View().Content); !strings.Contains(text, want) {
			t.Fatalf("%q is not shown:\n%s", want, text)
		}
	}
	for _, step := range []struct{ key, want string }{
		{"4", "[4 Writes]"}, {"enter", "write      #"}, {"v", "what each variant would do"}, {"?", "EXCLUSIVE BY says why"},
		{"esc", "what each variant would do"}, {"esc", "[4 Writes]"}, {"x", "the same writes under"}, {"?", "EXCLUSIVE BY says why"},
		{"?", "the same writes under"}, {"x", "[4 Writes]"}, {"/", "filter (lock="}, {"?", "filter (lock=exclusive verdict!=agree pos>1m comm~mysqld): ?"},
		{"esc", "[4 Writes]"}, {"t", "go to time"}, {"q", "(#1000): q"}, {"enter", "is no time since the start"}, {"1", "[1 Files]"},
	} {
		press(m, step.key)
		shows(step.want)
	}
}
