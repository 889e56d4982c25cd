package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// What another variant would do is asked for while it is shown, and not afterwards.
func TestWhatIf(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 100, 30)
	take(m, snapshot(1))
	press(m, "x")
	text := ansi.Strip(m.View().Content)
	for _, want := range []string{"under linux-7.3", "exclusive → shared 300 (30%)", "undecided 7", "80% of all waiting"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown:\n%s", want, text)
		}
	}
	if take(m, snapshot(1)) != nil {
		t.Error("it is asked for at once again")
	}
	later := snapshot(1)
	later.Summary.Elapsed += 2 * askEvery
	if cmd := take(m, later); cmd == nil || take(m, later) != nil {
		t.Error("it is not asked for once a second")
	}
	press(m, "right")
	if text := ansi.Strip(m.View().Content); !strings.Contains(text, "under linux-7.2") || !strings.Contains(text, "no such variant") {
		t.Errorf("the next variant:\n%s", text)
	}
	press(m, "esc")
	if take(m, later) != nil || strings.Contains(ansi.Strip(m.View().Content), "the same writes") {
		t.Error("esc does not leave it")
	}
}

// Behind the variants come changes of the program, which are no kernels.
func TestWhatIfOfAChange(t *testing.T) {
	o := testOptions
	o.Variants = []string{"linux-7.3", "prewritten"}
	m := newModel(nil, o)
	resize(m, 100, 30)
	take(m, snapshot(1))
	press(m, "x")
	press(m, "right")
	if text := ansi.Strip(m.View().Content); !strings.Contains(text, "the same writes with prewritten") {
		t.Error(text)
	}
}
