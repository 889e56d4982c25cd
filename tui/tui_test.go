package tui

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

var update = flag.Bool("update", false, "rewrite the golden files; look at the difference")

var sizes = [][2]int{{40, 10}, {80, 24}, {140, 45}}

var testOptions = Options{Kernel: "7.3.4-1~bpo13+1-amd64", Attached: 15, Mode: "session", Missing: []string{"iomap_dio_zero"}, CanSuspend: true}

// snapshot is one with all samples, times over.
func snapshot(times int) Snapshot {
	s := Snapshot{Summary: export.Summary{Variant: "linux-7.3", Evidence: []string{"no ext4_iomap_overwrite_begin, but ext4_iomap_next", "kiocb_modified was called"}}}
	for range times {
		s.Rows = append(s.Rows, exporttest.Rows()...)
	}
	for i := range s.Rows {
		s.Summary.Totals.Add(&s.Rows[i])
	}
	s.Summary.Elapsed = time.Duration(times) * time.Second
	return s
}

func press(m *model, keys ...string) {
	special := map[string]rune{
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "enter": tea.KeyEnter,
		"esc": tea.KeyEscape, "space": tea.KeySpace, "pgup": tea.KeyPgUp, "end": tea.KeyEnd,
	}
	for _, k := range keys {
		if code, ok := special[k]; ok {
			m.Update(tea.KeyPressMsg{Code: code})
			continue
		}
		m.Update(tea.KeyPressMsg{Code: rune(k[0]), Text: k})
	}
}

func resize(m *model, w, h int) { m.Update(tea.WindowSizeMsg{Width: w, Height: h}) }

// screens are the states of which there are goldens, each from a fresh model.
var screens = []struct {
	name  string
	setUp func(m *model)
}{
	{"waiting", func(*model) {}},
	{"writes", func(m *model) { m.take(snapshot(3)) }},
	{"losses", func(m *model) {
		s := snapshot(1)
		s.Summary.Losses.LostRing, s.Summary.Losses.MissedReturn = 1234, 7
		s.Note = "fio ended with exit status 0"
		m.take(s)
	}},
	{"held", func(m *model) {
		m.take(snapshot(2))
		press(m, "up", "k", "k", "right", "l")
		m.take(snapshot(1))
	}},
	{"paused", func(m *model) {
		m.take(snapshot(1))
		press(m, "space")
		m.take(snapshot(2))
	}},
	{"one-zeroing", func(m *model) {
		m.take(snapshot(1))
		press(m, "g", "j", "j", "enter")
	}},
	{"one-unsafe", func(m *model) {
		m.take(snapshot(1))
		press(m, "g", "j", "j", "j", "j", "j", "j", "enter")
	}},
	{"one-hostile", func(m *model) {
		m.take(snapshot(1))
		press(m, "G", "k", "enter")
	}},
	{"one-incomplete", func(m *model) {
		m.take(snapshot(1))
		press(m, "G", "k", "k", "enter")
	}},
	{"help", func(m *model) {
		m.take(snapshot(1))
		press(m, "?")
	}},
}

func TestGoldens(t *testing.T) {
	for _, size := range sizes {
		for _, sc := range screens {
			m := newModel(nil, testOptions)
			resize(m, size[0], size[1])
			sc.setUp(m)
			content := m.View().Content
			name := fmt.Sprintf("%s-%dx%d.txt", sc.name, size[0], size[1])
			checkBox(t, name, content, size[0], size[1])
			golden(t, name, ansi.Strip(content))
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
	for _, sc := range screens {
		m := newModel(nil, testOptions)
		resize(m, 80, 24)
		sc.setUp(m)
		for w := 1; w <= 200; w += 13 {
			for h := 1; h <= 60; h += 5 {
				resize(m, w, h)
				checkBox(t, fmt.Sprintf("%s-%dx%d", sc.name, w, h), m.View().Content, w, h)
			}
		}
	}
}

func TestNothingBeforeTheSize(t *testing.T) {
	m := newModel(nil, testOptions)
	m.take(snapshot(1))
	press(m, "up", "enter", "down", "?")
	if c := m.View().Content; c != "" {
		t.Errorf("drawn before the size is known: %q", c)
	}
}

// The selected write stays selected and in view while others come, and the
// newest is followed again on request.
func TestSelectionAndFollow(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	m.take(snapshot(2))
	press(m, "up", "up")
	seq, name := m.cursor, m.at(m.cursor).Comm
	for range 3 {
		m.take(snapshot(4))
	}
	if m.cursor != seq || m.at(seq).Comm != name || seq < m.top || seq >= m.top+uint64(m.layout().rows) {
		t.Errorf("selection moved: cursor %d, top %d, was %d", m.cursor, m.top, seq)
	}
	press(m, "G")
	m.take(snapshot(1))
	if m.cursor != m.end()-1 {
		t.Errorf("cursor %d does not follow the newest %d", m.cursor, m.end()-1)
	}
}

func TestPauseKeepsWhatComes(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	m.take(snapshot(1))
	end := m.end()
	press(m, "space")
	m.take(snapshot(2))
	if m.end() != end || m.late != 2*end {
		t.Fatalf("paused: %d rows, %d late; want %d, %d", m.end(), m.late, end, 2*end)
	}
	press(m, "space")
	if m.end() != 3*end || m.late != 0 {
		t.Errorf("resumed: %d rows, %d late; want %d, 0", m.end(), m.late, 3*end)
	}
}

// However many writes come, the memory stays bounded, the rows stay the newest,
// and what went by is counted.
func TestBounds(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	one := exporttest.Rows()[:1]
	const total = 10 * maxRows
	for i := range total {
		one[0].Pid = uint32(i)
		m.take(Snapshot{Rows: one})
	}
	if len(m.rows) != maxRows || cap(m.rows) > 8*maxRows || m.end() != total {
		t.Errorf("%d rows of %d, end %d", len(m.rows), cap(m.rows), m.end())
	}
	if last := m.rows[len(m.rows)-1].Pid; last != total-1 {
		t.Errorf("newest row is %d, want %d", last, total-1)
	}

	c := NewCollector()
	for range batchRows + 10 {
		c.Add(&one[0])
	}
	if s := c.take(); len(s.Rows) != batchRows || s.Skipped != 10 {
		t.Errorf("snapshot of %d rows, %d skipped; want %d, 10", len(s.Rows), s.Skipped, batchRows)
	}
	if s := c.take(); len(s.Rows) != 0 || s.Skipped != 0 {
		t.Errorf("second snapshot has %d rows, %d skipped", len(s.Rows), s.Skipped)
	}
}

// The help names every key that does something, on the smallest screen too.
func TestHelpNamesEveryKey(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 40, 10)
	press(m, "?")
	text := ansi.Strip(m.View().Content)
	for _, b := range m.keys.full() {
		if !strings.Contains(text, b.Help().Key) || !strings.Contains(text, b.Help().Desc) {
			t.Errorf("help lacks %q", b.Help())
		}
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

// The whole program: draws, takes keys, and ends; and it ends when its context
// does or when the feed does.
func TestProgram(t *testing.T) {
	for _, end := range []string{"q", "context", "feed"} {
		t.Run(end, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			feed := make(chan Snapshot)
			out := &watched{want: "exclusive", seen: make(chan struct{})}
			opts := testOptions
			opts.QuitAtEnd = end == "feed"
			in, keys := io.Pipe()
			defer keys.Close()
			done := make(chan error, 1)
			go func() {
				done <- run(ctx, feed, opts, tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(80, 24))
			}()
			feed <- snapshot(1)
			select {
			case <-out.seen:
			case <-ctx.Done():
				t.Fatal("nothing was drawn")
			}
			switch end {
			case "q":
				_, _ = keys.Write([]byte("q"))
			case "context":
				cancel()
			case "feed":
				close(feed)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if end != "context" && ctx.Err() != nil {
				t.Error("it did not end by itself")
			}
		})
	}
}

// watched closes seen when want was written to it.
type watched struct {
	buf  bytes.Buffer
	want string
	seen chan struct{}
	told bool
}

func (w *watched) Write(b []byte) (int, error) {
	w.buf.Write(b)
	if !w.told && bytes.Contains(w.buf.Bytes(), []byte(w.want)) {
		w.told = true
		close(w.seen)
	}
	return len(b), nil
}

func BenchmarkView(b *testing.B) {
	m := newModel(nil, testOptions)
	resize(m, 140, 45)
	m.take(snapshot(100))
	b.ReportAllocs()
	for b.Loop() {
		_ = m.View()
	}
}
