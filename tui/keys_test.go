package tui

import (
	"fmt"
	"os"
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

// The table of keys in the README is that of the bindings.
func TestReadmeKeys(t *testing.T) {
	const file = "../README.md"
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
		t.Errorf("README has other keys (go test ./tui -update):\n%s", got)
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
