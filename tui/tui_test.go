package tui

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
	"github.com/ext4dio/ext4dio-trace/export/tally"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	ref "github.com/ext4dio/ext4dio-trace/userspace-model"
)

var (
	update = flag.Bool("update", false, "rewrite the golden files; look at the difference")
	// Pictures of them can be made by internal/ansisvg.
	looks = flag.String("looks", "", "write the screens with their colours to this `folder`, too")
)

var sizes = [][2]int{{40, 10}, {80, 24}, {140, 45}}

var testOptions = Options{
	Kernel: "7.3.4-1~bpo13+1-amd64", Attached: 15, Mode: "session", Missing: []string{"iomap_dio_zero"}, CanSuspend: true,
	Probes: []Probe{
		{Name: "write", Func: "ext4_dio_write_iter", How: "session", Tells: "begin and end of each write"},
		{Name: "zero", Func: "iomap_dio_zero", Tells: "zeroing around the write", Why: "the kernel has no such symbol"},
	},
	Filter: func(text string) (Matcher, error) {
		f, err := rowfilter.Parse(text)
		if err != nil {
			return nil, err
		}
		return f, nil
	},
	Variants: []string{"linux-7.2", "linux-7.3"}, Other: "linux-7.3",
	WhatIf: func(variant string) (WhatIf, error) {
		if variant != "linux-7.3" {
			return WhatIf{}, errors.New("no such variant")
		}
		return WhatIf{Writes: 1000, Undecided: 7, Rows: []WhatIfRow{
			{"not overwrite", "exclusive", "shared", "head and tail written", 300, 4_000_000_000},
			{"extending", "exclusive", "exclusive", "extending", 100, 1_000_000_000},
			{"overwrite", "shared", "shared", "aligned, inside i_size", 593, 0},
			{"not overwrite", "exclusive", "undecided", "answer of a lookup", 7, 0},
		}}, nil
	},
	Report: func([]Numbered, export.Summary) (string, error) { return "wrote it", nil },
	Record: func(on bool) (string, error) { return map[bool]string{true: "records", false: "has recorded"}[on], nil },
}

// snapshot is one with all samples, times over.
func snapshot(times int) Snapshot {
	var rows []export.Row
	for range times {
		rows = append(rows, exporttest.Rows()...)
	}
	return snapshotOf(rows, time.Duration(times)*time.Second, "linux-7.3", "no ext4_iomap_overwrite_begin, but ext4_iomap_next", "kiocb_modified was called")
}

// snapshotOf is what a Collector makes of rows.
func snapshotOf(rows []export.Row, elapsed time.Duration, variant string, evidence ...string) Snapshot {
	c := NewCollector(true, nil)
	sum := export.Summary{Variant: variant, Evidence: evidence, Elapsed: elapsed}
	for i := range rows {
		sum.Totals.Add(&rows[i])
		c.Add(&rows[i], true)
	}
	c.SetSummary(&sum)
	return c.take(time.Time{})
}

// recorded is a whole trace of testdata/traces, and the options of its view.
func recorded(t *testing.T, name string) (Options, Snapshot) {
	t.Helper()
	all, err := tracefile.OpenRecordings(filepath.Join("..", "testdata", "traces", name+".e4d"))
	if err != nil {
		t.Fatal(err)
	}
	in := all[0]
	defer in.Close()
	variant, err := ref.ParseVariant(strings.Replace(strings.Replace(name, "wrong-always-exclusive", "linux-7.3", 1), "wrong-tail-unchecked", "linux-7.3", 1))
	if err != nil {
		t.Fatal(err)
	}
	var rows []export.Row
	maker := export.Maker{Names: in}
	judge := judge.New(judge.Options{Variant: variant, Doubt: in.Doubt, Seen: func(o *observe.Observation, v *judge.Verdict) {
		var r export.Row
		maker.Fill(&r, o, v)
		rows = append(rows, r)
	}})
	for {
		raw, err := in.Next()
		if errors.Is(err, record.ErrEnd) {
			break
		}
		if err == nil {
			err = judge.Feed(raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	judge.Flush()
	o := testOptions
	o.Kernel, o.Missing, o.Recording, o.Record, o.Start = in.Info().Release, nil, true, nil, in.Info().Monotonic
	o.Window = func(k Seek) (out []Numbered, err error) {
		for i := range rows {
			n := uint64(i) + 1
			if (n < k.At) == k.Before && (k.Match == nil || k.Match.Match(&rows[i])) {
				out = append(out, Numbered{rows[i], n})
			}
		}
		return out, nil
	}
	s := snapshotOf(rows, 3*time.Second, variant.String(), "as the test says")
	s.Ended = true
	return o, s
}

func keyPress(k string) tea.KeyPressMsg {
	special := map[string]rune{
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "enter": tea.KeyEnter, "tab": tea.KeyTab,
		"esc": tea.KeyEscape, "space": tea.KeySpace, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "end": tea.KeyEnd,
	}
	if code, ok := special[k]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	return tea.KeyPressMsg{Code: rune(k[0]), Text: k}
}

// press presses keys, and does what they ask for.
func press(m *model, keys ...string) {
	for _, k := range keys {
		if _, cmd := m.Update(keyPress(k)); cmd != nil {
			m.Update(cmd())
		}
	}
}

func resize(m *model, w, h int) { m.Update(tea.WindowSizeMsg{Width: w, Height: h}) }

// screens are the states of which there are goldens, each from a fresh model: of a trace,
// or of samples that no real kernel makes.
var screens = []struct {
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
	{"one", "linux-7.2", func(m *model) { press(m, "4", "g", "j", "j", "enter") }},
	{"one-end", "linux-7.2", func(m *model) { press(m, "4", "g", "j", "j", "enter", "G") }},
	{"one-variants", "linux-7.2", func(m *model) { press(m, "4", "g", "j", "j", "enter", "v") }},
	{"one-slower", "wrong-always-exclusive", func(m *model) { press(m, "5", "enter") }},
	{"what-if", "linux-7.2", func(m *model) { press(m, "x") }},
	{"help", "linux-7.3", func(m *model) { press(m, "?") }},
	{"filter-prompt", "linux-7.3", func(m *model) { press(m, "4", "/", "l", "o", "c", "k", "=") }},
	{"filter-wrong", "linux-7.3", func(m *model) { press(m, "4", "/", "l", "o", "k", "=", "x", "enter") }},
	{"samples", "", func(m *model) { m.take(snapshot(3)) }},
	{"losses", "", func(m *model) {
		s := snapshot(1)
		s.Summary.Losses.LostRing, s.Summary.Losses.MissedReturn = 1234, 7
		s.Note = "fio ended with exit status 0"
		m.take(s)
	}},
	{"missing", "linux-7.2", func(m *model) {
		s := Snapshot{Picture: m.picture, Summary: m.summary, CPU: -1, Ended: true}
		s.Missing = "the recording was not closed: what came after byte 4801 is missing (1199 bytes there are no whole chunk)"
		m.take(s)
	}},
	{"held", "", func(m *model) {
		press(m, "4")
		m.take(snapshot(2))
		press(m, "up", "k", "k", "right", "l")
		m.take(snapshot(1))
	}},
	{"paused", "", func(m *model) {
		press(m, "4")
		m.take(snapshot(1))
		press(m, "space")
		m.take(snapshot(2))
	}},
	{"one-zeroing", "", func(m *model) {
		m.take(snapshot(1))
		press(m, "4", "g", "j", "j", "enter")
	}},
	{"one-hostile", "", func(m *model) {
		m.take(snapshot(1))
		press(m, "4", "G", "k", "enter")
	}},
	{"one-incomplete", "", func(m *model) {
		m.take(snapshot(1))
		press(m, "4", "G", "k", "k", "enter")
	}},
}

// inState is a model in one of the states of screens.
func inState(t *testing.T, i, width, height int) *model {
	sc := &screens[i]
	m := newModel(nil, testOptions)
	if sc.trace != "" {
		o, s := recorded(t, sc.trace)
		m = newModel(nil, o)
		m.take(s)
	}
	resize(m, width, height)
	if sc.setUp != nil {
		sc.setUp(m)
	}
	return m
}

func TestGoldens(t *testing.T) {
	for _, size := range sizes {
		for i := range screens {
			content := inState(t, i, size[0], size[1]).View().Content
			name := fmt.Sprintf("%s-%dx%d.txt", screens[i].name, size[0], size[1])
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
	for i := range screens {
		m := inState(t, i, 80, 24)
		for w := 1; w <= 200; w += 13 {
			for h := 1; h <= 60; h += 5 {
				resize(m, w, h)
				checkBox(t, fmt.Sprintf("%s-%dx%d", screens[i].name, w, h), m.View().Content, w, h)
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
	press(m, "4")
	m.take(snapshot(2))
	press(m, "up", "up")
	w := &m.writes
	seq, name := w.cursor, w.at(w.cursor).Comm
	for range 3 {
		m.take(snapshot(4))
	}
	if w.cursor != seq || w.at(seq).Comm != name || seq < w.top || seq >= w.top+uint64(m.layout().rows) {
		t.Errorf("selection moved: cursor %d, top %d, was %d", w.cursor, w.top, seq)
	}
	press(m, "G")
	m.take(snapshot(1))
	if w.cursor != w.end()-1 {
		t.Errorf("cursor %d does not follow the newest %d", w.cursor, w.end()-1)
	}
}

// The selected file stays selected, wherever the order puts it.
func TestGroupStaysSelected(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	m := newModel(nil, o)
	resize(m, 80, 24)
	m.take(s)
	press(m, "down", "down")
	g := &m.groups[onFiles]
	want := g.rows[g.cursor].Key()
	for range 6 {
		press(m, "s", "S")
		if got := g.rows[g.cursor].Key(); got != want {
			t.Fatalf("sorted by %s, the selected file is %v, want %v", g.sort, got, want)
		}
	}
}

// What a column sorts by is what it shows: the rows come in its order.
func TestSorting(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	m := newModel(nil, o)
	resize(m, 300, 24)
	m.take(s)
	seen := map[string]bool{}
	for range 30 {
		g := &m.groups[onFiles]
		seen[g.sort] = true
		order := sortOrder(onFiles, g.sort)
		if !slices.IsSortedFunc(g.rows, func(a, b tally.Group) int { return order(&a, &b) }) {
			t.Errorf("not sorted by %s", g.sort)
		}
		press(m, "s")
	}
	if len(seen) < 12 {
		t.Errorf("sorted by %d columns only", len(seen))
	}
}

func TestPauseKeepsWhatComes(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	m.take(snapshot(1))
	end := m.writes.end()
	press(m, "space")
	m.take(snapshot(2))
	if m.writes.end() != end || m.writes.held != 2*end || m.summary.Totals.Writes != end {
		t.Fatalf("paused: %d rows, %d held, %d counted; want %d, %d, %d", m.writes.end(), m.writes.held, m.summary.Totals.Writes, end, 2*end, end)
	}
	press(m, "space")
	if m.writes.end() != 3*end || m.writes.held != 0 || m.summary.Totals.Writes != 2*end {
		t.Errorf("resumed: %d rows, %d held, %d counted; want %d, 0, %d", m.writes.end(), m.writes.held, m.summary.Totals.Writes, 3*end, 2*end)
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
		m.take(Snapshot{Rows: []Numbered{{one[0], uint64(i) + 1}}})
	}
	w := &m.writes
	if len(w.rows) != maxRows || cap(w.rows) > 8*maxRows || w.end() != total {
		t.Errorf("%d rows of %d, end %d", len(w.rows), cap(w.rows), w.end())
	}
	if last := w.rows[len(w.rows)-1].Pid; last != total-1 {
		t.Errorf("newest row is %d, want %d", last, total-1)
	}

	c := NewCollector(false, nil)
	for range batchRows + 10 {
		c.Add(&one[0], true)
	}
	if s := c.take(time.Time{}); len(s.Rows) != batchRows || s.Skipped != 10 || s.Rows[0].Number != 11 {
		t.Errorf("snapshot of %d rows from %d, %d skipped; want %d, 11, 10", len(s.Rows), s.Rows[0].Number, s.Skipped, batchRows)
	}
	if s := c.take(time.Time{}); len(s.Rows) != 0 || s.Skipped != 0 {
		t.Errorf("second snapshot has %d rows, %d skipped", len(s.Rows), s.Skipped)
	}
}

// A filter chooses among all writes that come, so that rare ones are not among those that
// went by too fast; and among those that are kept.
func TestFilterSeesAll(t *testing.T) {
	rows := exporttest.Rows()
	c := NewCollector(false, nil)
	o := testOptions
	o.SetFilter = c.SetFilter
	m := newModel(nil, o)
	resize(m, 80, 24)
	add := func(times int) {
		for range times {
			for i := range rows {
				c.Add(&rows[i], true)
			}
		}
		m.take(c.take(time.Time{}))
	}
	add(1)
	press(m, "4", "/", "v", "e", "r", "d", "i", "c", "t", "=", "u", "n", "s", "a", "f", "e", "enter")
	if n := len(m.writes.rows); n != 1 {
		t.Fatalf("%d of the kept writes are unsafe, want 1", n)
	}
	const times = 100
	if times*len(rows) < 2*batchRows {
		t.Fatal("too few writes for one snapshot to lose any")
	}
	add(times)
	if n := len(m.writes.rows); n != 1+times {
		t.Errorf("%d unsafe writes, want %d", n, 1+times)
	}
	press(m, "esc")
	if m.writes.filter != "" || c.filter != nil {
		t.Error("esc leaves the filter")
	}
}

// Where drawing takes too much of a CPU, it is done less often, and more often again when
// it does not.
func TestPace(t *testing.T) {
	every := shortest
	for _, step := range []struct {
		share float64
		want  time.Duration
	}{
		{0.01, shortest}, {0.5, 2 * shortest}, {0.5, 4 * shortest}, {0.07, 4 * shortest}, {0.9, 8 * shortest}, {0.9, longest}, {0.9, longest},
		{0.01, longest / 2}, {0.01, longest / 4}, {0.01, longest / 8}, {0.01, shortest},
	} {
		if every = pace(every, step.share); every != step.want {
			t.Errorf("share %g: every %s, want %s", step.share, every, step.want)
		}
	}
}

// Each action is called outside of Update, and what it says is shown.
func TestActions(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 80, 24)
	m.take(snapshot(1))
	for _, step := range []struct{ key, want string }{
		{"r", "records"}, {"r", "has recorded"}, {"w", "wrote it"},
	} {
		_, cmd := m.Update(tea.KeyPressMsg{Code: rune(step.key[0]), Text: step.key})
		m.Update(cmd())
		if !strings.Contains(ansi.Strip(m.View().Content), step.want) {
			t.Errorf("%s does not say %q", step.key, step.want)
		}
		recording := snapshot(1)
		recording.Recording = step.want == "records"
		m.take(recording)
		if got := strings.Contains(ansi.Strip(m.View().Content), "REC  Linux"); got != recording.Recording {
			t.Errorf("%s: REC is shown: %v", step.key, got)
		}
	}
	m.Update(saidMsg{err: errors.New("no room")})
	if !strings.Contains(m.View().Content, "no room") {
		t.Error("an error is not shown")
	}
}

// What another variant would do is asked for while it is shown, and not afterwards.
func TestWhatIf(t *testing.T) {
	m := newModel(nil, testOptions)
	resize(m, 100, 30)
	m.take(snapshot(1))
	press(m, "x")
	text := ansi.Strip(m.View().Content)
	for _, want := range []string{"under linux-7.3", "exclusive → shared 300 (30%)", "undecided 7", "80% of all waiting"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown:\n%s", want, text)
		}
	}
	if m.askWhatIf() != nil {
		t.Error("it is asked for at once again")
	}
	later := snapshot(1)
	later.Summary.Elapsed += 2 * whatIfEvery
	m.take(later)
	if cmd := m.askWhatIf(); cmd == nil || m.askWhatIf() != nil {
		t.Error("it is not asked for once a second")
	}
	press(m, "right")
	if text := ansi.Strip(m.View().Content); !strings.Contains(text, "under linux-7.2") || !strings.Contains(text, "no such variant") {
		t.Errorf("the next variant:\n%s", text)
	}
	press(m, "esc")
	if m.askWhatIf() != nil || strings.Contains(ansi.Strip(m.View().Content), "the same writes") {
		t.Error("esc does not leave it")
	}
}

// Where a window of a recording ends, the next one is asked for.
func TestWindow(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	s.Summary.Totals.Writes = 10_000
	var asked Seek
	o.Window = func(k Seek) ([]Numbered, error) {
		asked = k
		rows := make([]Numbered, 100)
		first := k.At
		if k.Before {
			first -= uint64(len(rows))
		}
		for i := range rows {
			rows[i] = Numbered{s.Rows[0].Row, first + uint64(i)}
		}
		return rows, nil
	}
	m := newModel(nil, o)
	resize(m, 80, 24)
	m.take(s)
	for _, step := range []struct {
		keys             string // the last one asks
		first, at, under uint64 // at the top of the list, asked for, selected
		before           bool
	}{
		{"4", 1, 1, 1, false},
		{"pgdown", 1, 0, 0, false}, {"up", 1, 0, 0, false}, // within it nothing is asked for
		{"end", 9901, 10_001, 10_000, true},
		{"down", 9901, 0, 10_000, false}, // there are no more
		{"g", 1, 1, 1, false},
		{"up", 1, 0, 1, false},
		{"t 5 0 enter", 50_000_000_000, 50_000_000_000, 50_000_000_000, false},
		{"t # 7 0 0 enter", 700, 700, 700, false},
		{"up", 600, 700, 699, true},
		{"down", 700, 700, 700, false},
	} {
		asked = Seek{}
		keys := strings.Fields(step.keys)
		press(m, keys[:len(keys)-1]...)
		if _, cmd := m.Update(keyPress(keys[len(keys)-1])); cmd != nil {
			m.Update(cmd())
		}
		w := &m.writes
		if asked.At != step.at || asked.Before != step.before || w.rows[0].Number != step.first || step.under != 0 && w.at(w.cursor).Number != step.under {
			t.Errorf("%s asks for %+v, shows from %d, selects %d; want %+v", step.keys, asked, w.rows[0].Number, w.at(w.cursor).Number, step)
		}
	}
}

// The wheel moves, a click selects and opens, a click on a title sorts, on a name of a
// screen changes to it.
func TestMouse(t *testing.T) {
	o, s := recorded(t, "linux-7.2")
	m := newModel(nil, o)
	resize(m, 80, 24)
	m.take(s)
	click := func(x, y int) { m.Update(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }
	g, top := &m.groups[onFiles], m.layout().header
	m.Update(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if g.cursor != wheelLines {
		t.Errorf("the wheel moves to %d", g.cursor)
	}
	click(5, top+2)
	if g.cursor != 1 {
		t.Errorf("a click selects %d", g.cursor)
	}
	click(3, top)
	if g.sort != "FILE" || g.reverse {
		t.Errorf("a click on the title sorts by %q", g.sort)
	}
	tabs := m.tabs()
	click(tabs[onFindings].from+2, top-1)
	if m.screen != onFindings {
		t.Errorf("a click leads to screen %d", m.screen)
	}
	click(tabs[onFiles].from+1, m.layout().header-1)
	click(5, top+1+g.cursor-g.top)
	if m.screen != onWrites || m.writes.filter == "" {
		t.Error("a second click does not open")
	}
}

// What cannot be shown without UTF-8 is replaced, and nothing else.
func TestASCII(t *testing.T) {
	for i := range screens {
		if strings.Contains(screens[i].name, "hostile") || screens[i].trace == "" {
			continue // names may be what they are
		}
		m := inState(t, i, 140, 45)
		m.opts.ASCII = true
		for _, r := range ansi.Strip(m.View().Content) {
			if r > '~' {
				t.Errorf("%s: %q is left", screens[i].name, r)
				break
			}
		}
	}
}

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
	for _, b := range m.keys.full() {
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
	k := newKeyMap()
	var want strings.Builder
	for _, b := range k.full() {
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

// BenchmarkCollector is what a write costs on its way to the screen; nearly all of them
// are only counted.
func BenchmarkCollector(b *testing.B) {
	rows := exporttest.Rows()
	c := NewCollector(false, nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Add(&rows[i%len(rows)], true)
	}
}
