package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

var (
	update = flag.Bool("update", false, "rewrite the golden files; look at the difference")
	looks  = flag.String("looks", "", "write the screens with their colours to this `folder`, too")
)

var sizes = [][2]int{{40, 10}, {80, 24}, {140, 45}}

// states are those of which there are goldens, each from a fresh model: of a trace,
// or of samples that no real kernel makes.
var states = []struct {
	name  string
	trace string
	setUp func(m *model)
}{
	{"waiting", "", func(*model) {}},
	{"files", "linux-7.2", nil},
	{"files-sorted", "linux-7.2", func(m *model) { press(m, "s", "S", "down") }},
	{"files-filtered", "linux-7.3", func(m *model) { press(m, "/", "e", "x", "t", "e", "n", "d", "i", "n", "g", "enter") }},
	{"files-columns", "linux-7.2", func(m *model) { press(m, "l", "l", "l", "l") }},
	{"processes", "linux-6.12", func(m *model) { press(m, "tab") }},
	{"reasons", "base", func(m *model) { press(m, "3") }},
	{"writes", "linux-7.3", func(m *model) { press(m, "4") }},
	{"writes-of-file", "linux-7.2", func(m *model) { press(m, "down", "enter") }},
	{"findings", "wrong-tail-unchecked", func(m *model) { press(m, "5") }},
	{"findings-none", "series-v2", func(m *model) { press(m, "5") }},
	{"probes", "patch3", func(m *model) { press(m, "6") }},
	{"inside", "", func(m *model) {
		m.opts.Inside = func() ([]export.Inside, error) { return insideSamples(), nil }
		take(m, snapshot(1))
		press(m, "7")
	}},
	{"inside-none", "patch3", func(m *model) { press(m, "7") }},
	{"waits", "", func(m *model) {
		m.opts.Inside = func() ([]export.Inside, error) { return insideSamples(), nil }
		take(m, snapshotOf(waitSamples(), time.Second, "linux-7.3"))
		press(m, "8", "down")
	}},
	{"waits-recorded", "linux-7.2", func(m *model) { press(m, "8") }},
	{"waits-no-holders", "linux-7.2", func(m *model) {
		m.now.Summary.Holders = "off"
		press(m, "8", "/", "a", "p", "p", "e", "n", "d", "enter")
	}},
	{"waits-none", "", func(m *model) {
		take(m, snapshotOf(exporttest.Rows()[:1], time.Second, "linux-7.3"))
		press(m, "8")
	}},
	{"advice", "", func(m *model) {
		take(m, advised())
		press(m, "9")
	}},
	{"advice-above", "", func(m *model) { take(m, advised()) }},
	{"advice-none", "", func(m *model) {
		s := advised()
		s.Summary.Advice = []export.Advice{}
		take(m, s)
		press(m, "9")
	}},
	{"one", "linux-7.2", func(m *model) { press(m, "4", "g", "j", "j", "enter") }},
	{"one-end", "linux-7.2", func(m *model) { press(m, "4", "g", "j", "j", "enter", "G") }},
	{"one-variants", "linux-7.2", func(m *model) { press(m, "4", "g", "j", "j", "enter", "v") }},
	{"one-slower", "wrong-always-exclusive", func(m *model) { press(m, "5", "enter") }},
	{"what-if", "linux-7.2", func(m *model) { press(m, "x") }},
	{"help", "linux-7.3", func(m *model) { press(m, "?") }},
	{"filter-prompt", "linux-7.3", func(m *model) { press(m, "4", "/", "l", "o", "c", "k", "=") }},
	{"filter-wrong", "linux-7.3", func(m *model) { press(m, "4", "/", "l", "o", "k", "=", "x", "enter") }},
	{"samples", "", func(m *model) { take(m, snapshot(3)) }},
	{"losses", "", func(m *model) {
		s := snapshot(1)
		s.Summary.Losses.LostRing, s.Summary.Losses.MissedReturn = 1234, 7
		s.Note = "fio ended with exit status 0"
		take(m, s)
	}},
	{"missing", "linux-7.2", func(m *model) {
		s := Snapshot{Picture: m.now.Picture, Summary: m.now.Summary, CPU: -1, Ended: true}
		s.Missing = "the recording was not closed: what came after byte 4801 is missing (1199 bytes there are no whole chunk)"
		take(m, s)
	}},
	{"held", "", func(m *model) {
		press(m, "4")
		take(m, snapshot(2))
		press(m, "up", "k", "k", "right", "l")
		take(m, snapshot(1))
	}},
	{"paused", "", func(m *model) {
		press(m, "4")
		take(m, snapshot(1))
		press(m, "space")
		take(m, snapshot(2))
	}},
	{"one-zeroing", "", func(m *model) {
		take(m, snapshotOf([]export.Row{courseRow()}, time.Second, "linux-7.3"))
		press(m, "4", "enter")
	}},
	{"one-budget", "", func(m *model) {
		take(m, snapshotOf([]export.Row{budgetRow()}, time.Second, "linux-7.3"))
		press(m, "4", "enter", "pgdown")
	}},
	{"one-course", "", func(m *model) {
		take(m, snapshotOf([]export.Row{courseRow()}, time.Second, "linux-7.3"))
		press(m, "4", "enter", "pgdown")
	}},
	{"one-hostile", "", func(m *model) {
		take(m, snapshot(1))
		press(m, "4", "G", "k", "enter")
	}},
	{"one-incomplete", "", func(m *model) {
		take(m, snapshot(1))
		press(m, "4", "G", "k", "k", "enter")
	}},
}

// inState is a model in one of the states.
func inState(t *testing.T, i, width, height int) *model {
	sc := &states[i]
	m := newModel(nil, testOptions)
	if sc.trace != "" {
		o, s := recorded(t, sc.trace)
		m = newModel(nil, o)
		take(m, s)
	}
	resize(m, width, height)
	if sc.setUp != nil {
		sc.setUp(m)
	}
	return m
}

func TestGoldens(t *testing.T) {
	for _, size := range sizes {
		for i := range states {
			content := inState(t, i, size[0], size[1]).View().Content
			name := fmt.Sprintf("%s-%dx%d.txt", states[i].name, size[0], size[1])
			checkBox(t, name, content, size[0], size[1])
			golden(t, name, ansi.Strip(content))
			if *looks != "" {
				if err := os.WriteFile(filepath.Join(*looks, name), []byte(content+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got += "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./tui -update)\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

// checkBox fails when content is not exactly height lines of at most width cells.
func checkBox(t *testing.T, name, content string, width, height int) {
	t.Helper()
	lines := strings.Split(content, "\n")
	if len(lines) != height {
		t.Errorf("%s: %d lines, want %d", name, len(lines), height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("%s: line %d is %d cells wide, want at most %d: %q", name, i, w, width, line)
		}
	}
}

// Every size must do, even those on which nothing useful can be shown, and so
// must every change between them.
func TestEverySizeFits(t *testing.T) {
	for i := range states {
		m := inState(t, i, 80, 24)
		for w := 1; w <= 200; w += 13 {
			for h := 1; h <= 60; h += 5 {
				resize(m, w, h)
				checkBox(t, fmt.Sprintf("%s-%dx%d", states[i].name, w, h), m.View().Content, w, h)
			}
		}
	}
}

func TestNothingBeforeTheSize(t *testing.T) {
	m := newModel(nil, testOptions)
	take(m, snapshot(1))
	press(m, "up", "enter", "down", "?")
	if c := m.View().Content; c != "" {
		t.Errorf("drawn before the size is known: %q", c)
	}
}

// What cannot be shown without UTF-8 is replaced, and nothing else.
func TestASCII(t *testing.T) {
	for i := range states {
		if strings.Contains(states[i].name, "hostile") || states[i].trace == "" {
			continue // names may be what they are
		}
		m := inState(t, i, 140, 45)
		m.opts.ASCII = true
		for _, r := range ansi.Strip(m.View().Content) {
			if r > '~' {
				t.Errorf("%s: %q is left", states[i].name, r)
				break
			}
		}
	}
}

func BenchmarkView(b *testing.B) {
	m := newModel(nil, testOptions)
	resize(m, 140, 45)
	take(m, snapshot(100))
	b.ReportAllocs()
	for b.Loop() {
		_ = m.View()
	}
}
