package tui

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/charmbracelet/x/ansi"
)

// The help names every key that does something, on the smallest screen too.
func TestHelpNamesEveryKey(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 40, 10)
	press(m, "?")
	text := ""
	for range 20 {
		text += ansi.Strip(m.View().Content)
		press(m, "pgdown")
	}
	for _, b := range m.keys.all {
		if b.Enabled() && (!strings.Contains(text, b.Help().Key) || !strings.Contains(text, b.Help().Desc)) {
			t.Errorf("help lacks %q", b.Help())
		}
	}
}

// The table of keys in docs/live.md is that of the bindings.
func TestKeysPage(t *testing.T) {
	const file = "../docs/live.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	k := newModel(nil, Options{}).keys
	var want strings.Builder
	for _, b := range k.all {
		fmt.Fprintf(&want, "| `%s` | %s |\n", b.Help().Key, b.Help().Desc)
	}
	head, rest, _ := strings.Cut(string(b), "| key | does |\n| --- | --- |\n")
	end := strings.Index(rest, "\n\n") + 1
	if got := rest[:end]; got != want.String() {
		if *update {
			if err := os.WriteFile(file, []byte(head+"| key | does |\n| --- | --- |\n"+want.String()+rest[end:]), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("docs/live.md has other keys (go test ./tui -update):\n%s", got)
	}
}

// Where nobody could continue it, the program must not suspend itself.
func TestNoSuspend(t *testing.T) {
	opts := testOptions
	opts.CanSuspend = false
	m := newModel(nil, opts)
	resize(m, 80, 24)
	if _, cmd := m.Update(tea.KeyPressMsg{Code: 'z', Mod: tea.ModCtrl}); cmd != nil {
		t.Error("ctrl+z does something")
	}
	press(m, "?")
	if strings.Contains(m.View().Content, "suspend") {
		t.Error("help names a key that does nothing")
	}
}

// taken reports whether a key does something on the screen that is on top.
func taken(m *model, k string) bool {
	return slices.ContainsFunc(append(m.top().Keys().does, m.everywhere()...), func(d keyed) bool {
		return d.Enabled() && slices.Contains(d.Keys(), k)
	})
}

// The last line of each screen names only keys that do something there, and each key of
// the help does something on one of them.
func TestKeysDoSomething(t *testing.T) {
	o, s := recorded(t, "wrong-tail-unchecked")
	o.Record = testOptions.Record
	used := map[string]bool{}
	for _, keys := range []string{"1", "2", "3", "4", "5", "6", "4 enter", "5 enter", "x", "?"} {
		m := newModel(nil, o)
		resize(m, 80, 24)
		take(m, s)
		press(m, strings.Fields(keys)...)
		for _, b := range m.top().Keys().line {
			if b.Enabled() && !taken(m, b.Keys()[0]) {
				t.Errorf("after %q the last line says %s %s, which does nothing", keys, b.Help().Key, b.Help().Desc)
			}
		}
		for _, b := range m.keys.all {
			for _, k := range b.Keys() {
				used[k] = used[k] || taken(m, k)
			}
		}
	}
	for k, is := range used {
		if !is {
			t.Errorf("%q does nothing on any screen", k)
		}
	}
}

// otherTab is a tab that the program does not have.
type otherTab struct{ scrolled }

func (*otherTab) About() about { return about{name: "Other", bandFrom: far} }
func (*otherTab) Keys() keys   { return keys{} }

// A tab that is added to the list has a name, a number, a place for the mouse and a line
// in the help.
func TestTabsFollowFromTheirList(t *testing.T) {
	m := newModel(nil, testOptions)
	other := &otherTab{scrolled{m: m, lines: func() []string { return []string{"what it shows"} }}}
	m.tabs = append(m.tabs, other)
	number := strconv.Itoa(len(m.tabs))
	m.keys = newKeyMap(&m.opts, len(m.tabs))
	resize(m, 100, 24)
	text := func() string { return ansi.Strip(m.View().Content) }
	if press(m, number); m.tab != other || !strings.Contains(text(), "["+number+" Other]") || !strings.Contains(text(), "what it shows") {
		t.Errorf("%s leads to:\n%s", number, text())
	}
	m.turn(m.tabs[0])
	name := m.tabNames()[len(m.tabs)-1]
	if send(m, tea.MouseClickMsg{X: name.from + 1, Y: m.layout(m.tab).header - 1, Button: tea.MouseLeft}); m.tab != other {
		t.Errorf("a click on it leads to:\n%s", text())
	}
	if press(m, "?"); !strings.Contains(text(), "1-"+number) {
		t.Errorf("the help:\n%s", text())
	}
}

// The pictures in docs/ show the tabs that there are.
func TestPicturesShowTheTabs(t *testing.T) {
	for _, name := range []string{"live-7.2", "live-7.3"} {
		picture, err := os.ReadFile("../docs/" + name + ".svg")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(picture), "&#160;", " ")
		for i, tab := range newModel(nil, testOptions).tabs {
			if shown := fmt.Sprintf("%d %s", i+1, tab.About().name); !strings.Contains(text, shown) {
				t.Errorf("docs/%s.svg does not show the tab %s (scripts/make-screens.sh makes it)", name, shown)
			}
		}
	}
}
