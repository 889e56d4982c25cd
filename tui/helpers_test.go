package tui

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	ref "github.com/ext4dio/ext4dio-trace/userspace-model"
)

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
	WhatIf: func(variant string) (whatif.Decisions, error) {
		if variant != "linux-7.3" {
			return whatif.Decisions{}, errors.New("no such variant")
		}
		return whatif.Decisions{Writes: 1000, Cells: []whatif.Cell{
			{Kind: whatif.Kind{Reason: "not overwrite", Now: whatif.Exclusive, Then: whatif.Shared, Why: "head and tail written"}, Writes: 300, WaitNs: 4_000_000_000},
			{Kind: whatif.Kind{Reason: "extending", Now: whatif.Exclusive, Then: whatif.Exclusive, Why: "extending"}, Writes: 100, WaitNs: 1_000_000_000},
			{Kind: whatif.Kind{Reason: "overwrite", Now: whatif.Shared, Then: whatif.Shared, Why: "aligned, inside i_size"}, Writes: 593},
			{Kind: whatif.Kind{Reason: "not overwrite", Now: whatif.Exclusive, Then: whatif.Undecided, Why: "answer of a lookup"}, Writes: 7},
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
	sum := export.Summary{Variant: variant, Evidence: evidence, Elapsed: elapsed, Holders: "auto"}
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
	s.Ended, s.Summary.Holders = true, "" // none was recorded by then
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

// take shows a snapshot, and returns what the screens ask for.
func take(m *model, s Snapshot) tea.Cmd {
	cmd := m.take(s)
	m.fit()
	return cmd
}

func resize(m *model, w, h int) { m.Update(tea.WindowSizeMsg{Width: w, Height: h}) }
