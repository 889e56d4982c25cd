package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// traceBegan is when the traces of these tests began.
var traceBegan = time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)

// makeTrace writes a trace of n writes, one each second from the beginning on, to two
// inodes in turn.
func makeTrace(t *testing.T, n int, more ...[]byte) string {
	t.Helper()
	facts, err := json.Marshal(probes.Facts{Release: "7.3.4-test"})
	if err != nil {
		t.Fatal(err)
	}
	info := &tracefile.Info{
		ID: "0123", Tool: "test", Began: traceBegan, Monotonic: 1e12, Boot: 2e12, Release: "7.3.4-test\x1b[2J", Facts: facts, Plan: []byte("{}"),
		FileSystems: []ext4fs.Mount{{Dev: "8:0", Source: "/dev/sda", Point: "/mnt", BlockSize: 4096}},
	}
	var file bytes.Buffer
	w, err := tracefile.NewWriter(&file, info)
	if err != nil {
		t.Fatal(err)
	}
	name := record.NameID{FileID: record.FileID{Dev: 8 << 20, Ino: 100, Generation: 5}, Name: 6}
	w.Name(name, "/mnt/a$(b)")
	for i := range n {
		rec := tracetest.SharedWrite(uint64(i + 1))
		rec.Generation, rec.Name = name.Generation, name.Name
		rec.T0, rec.Ino, rec.Dev = 1e12+uint64(i)*1e9, uint64(100+i%2), 8<<20
		if err := w.Append(rec.Append(nil), &record.Losses{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, raw := range more {
		if err := w.Append(raw, &record.Losses{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(&record.Losses{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "t.e4d")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// exported runs export and returns the file that it made.
func exported(t *testing.T, trace string, flags ...string) (path string, err error) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "out")
	root := newRootCmd()
	root.SetArgs(append([]string{"export", trace, "-o", path}, flags...))
	return path, root.ExecuteContext(t.Context())
}

func exportedRows(t *testing.T, trace string, flags ...string) []*export.Row {
	t.Helper()
	path, err := exported(t, trace, append([]string{"--format", "jsonl"}, flags...)...)
	if err != nil {
		t.Fatalf("%v: %v", flags, err)
	}
	var out []*export.Row
	for line := range strings.Lines(readFile(t, path)) {
		if export.LineKind([]byte(line)) != "" {
			continue // no write
		}
		r, err := export.ParseJSON([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestExportFormats(t *testing.T) {
	trace := makeTrace(t, 20)
	for format, begin := range map[string]string{
		"jsonl": `{"schema":"ext4dio-trace/1",`, "csv": "time_ns,pid,tid,", "parquet": "PAR1", "perfetto": "\x0a", "xfsio": "#!/bin/sh\n",
	} {
		path, err := exported(t, trace, "--format", format)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if text := readFile(t, path); !strings.HasPrefix(text, begin) || format != "parquet" && strings.Contains(text, "\x1b") {
			t.Errorf("%s: %.200q", format, text)
		}
	}
	dir, err := exported(t, trace, "--format", "fio")
	if err != nil {
		t.Fatal(err)
	}
	if text := readFile(t, filepath.Join(dir, "trace.fio")); !strings.Contains(text, "read_iolog=job-1.iolog") || !strings.Contains(text, "/mnt/a$(b)") {
		t.Errorf("job file:\n%s", text)
	}
}

func TestExportFilters(t *testing.T) {
	trace := makeTrace(t, 20)
	for flags, want := range map[string]int{
		"":                                     20,
		"--ino 100":                            10,
		"--path /mnt/a$(b)":                    10,
		"--path /mnt/*":                        10,
		"--path /mnt/a":                        0,
		"--dev /mnt":                           20,
		"--dev /dev/sda":                       20,
		"--dev 8:1":                            0,
		"--from 5s":                            15,
		"--to 5s":                              5,
		"--from 5s --to 7.5s":                  3,
		"--from 2026-11-22T20:00:18Z":          2,
		"--from 2001-01-01T00:00:00Z --to 1ns": 1,
		"--only exclusive":                     0,
		"--comm fio":                           20,
		"--comm other":                         0,
		"--min-latency 1h":                     0,
		"--pid 4294967295":                     0,
	} {
		if got := len(exportedRows(t, trace, strings.Fields(flags)...)); got != want {
			t.Errorf("%q lets %d through, not %d", flags, got, want)
		}
	}
}

// TestExportRows: what is exported is what live --json says of the same records.
func TestExportRows(t *testing.T) {
	held := record.Hold{Op: record.HoldRead, Dev: 8 << 20, Ino: 100, Generation: 5, From: 1e12, To: 1e12 + 5}
	trace := makeTrace(t, 3, held.Append(nil))
	path, err := exported(t, trace, "--format", "jsonl")
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdout
	defer func() { os.Stdout = old }()
	if os.Stdout, err = os.Create(filepath.Join(t.TempDir(), "view")); err != nil {
		t.Fatal(err)
	}
	root := newRootCmd()
	root.SetArgs([]string{"view", "--json", trace})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := readFile(t, path), readFile(t, os.Stdout.Name()); got != want {
		t.Errorf("export:\n%s\nview --json:\n%s", got, want)
	}
}

// Who held the lock is exported with the writes of the time that is asked for; who chooses among
// the writes gets lines of writes only. Names of holders are taken out like others.
func TestExportHolds(t *testing.T) {
	hold := func(comm string, at uint64) []byte {
		h := record.Hold{Op: record.HoldRead, Lock: record.LockShared, Dev: 8 << 20, Ino: 100, Generation: 5, T0: at, From: at, To: at + 1000}
		copy(h.Comm[:], comm)
		return h.Append(nil)
	}
	budget := record.Budget{ID: 3, Total: 50_000, Spin: 1000, Rest: 49_000}
	trace := makeTrace(t, 4, hold("held-one", 1e12+5e8), hold("held-two", 1e12+25e8), budget.Append(nil, record.MakeBudgetMark(1000, record.BudgetRest, true)))
	for _, c := range []struct {
		flags       string
		early, late bool
	}{
		{"--format jsonl", true, true},
		{"--format jsonl --from 2s", false, true},
		{"--format jsonl --to 2s", true, false},
		{"--format jsonl --only agree", false, false},
		{"--format jsonl --filter lock=shared", false, false},
		{"--format jsonl --ino 100", false, false},
		{"--format jsonl --min-latency 1us", false, false},
		{"--format csv", false, false},
		{"--format perfetto", true, true},
		{"--format perfetto --ino 100", true, true},
		{"--format perfetto --from 2s", false, true},
		{"--format jsonl --redact", false, false},
		{"--format perfetto --redact", false, false},
		{"--format e4d --redact", false, false},
	} {
		path, err := exported(t, trace, strings.Fields(c.flags)...)
		if err != nil {
			t.Errorf("%s: %v", c.flags, err)
			continue
		}
		got := readFile(t, path)
		if early, late := strings.Contains(got, "held-one"), strings.Contains(got, "held-two"); early != c.early || late != c.late {
			t.Errorf("%s: the early one is told %v, the late one %v", c.flags, early, late)
		}
		if want := c.flags == "--format jsonl --redact"; want && strings.Count(got, `{"kind":"hold"`) != 2 {
			t.Errorf("%s: the holds are left out:\n%s", c.flags, got)
		}
	}
	rows := exportedRows(t, trace)
	if len(rows) != 4 {
		t.Errorf("%d writes", len(rows))
	}
}

func TestExportRefuses(t *testing.T) {
	trace := makeTrace(t, 3)
	for flags, want := range map[string]string{
		"":                               "no --format given",
		"--format xml":                   `--format "xml" is not known`,
		"--format csv --only x":          `unknown value "x" of --only`,
		"--format csv --from x":          `--from "x" is no time`,
		"--format csv --from 2s --to 1s": "--from 2s is not before --to 1s",
		"--format csv --dev x":           `--dev "x" is no MAJOR:MINOR`,
		"--format csv --variant x":       `variant "x"`,
		"--format csv --path [*":         "syntax error in pattern",
		"--format csv --min-latency -1s": "must not be negative",
		"--format fio -o -":              "fio needs a folder",
		"--format csv -o " + trace:       "which is read",
		"--format csv -o /":              "/ is a folder",
	} {
		path, err := exported(t, trace, strings.Fields(flags)...)
		if err == nil || asExit(err).Code != exit.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", flags, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%q left a file", flags)
		}
	}
	if rows := exportedRows(t, trace); len(rows) != 3 {
		t.Errorf("the trace has %d writes now", len(rows))
	}
}

// TestExportTorn: what is whole is exported, and what is missing is said.
func TestExportTorn(t *testing.T) {
	trace := makeTrace(t, 3)
	text := readFile(t, trace)
	if err := os.WriteFile(trace, []byte(text[:len(text)-1]), 0o644); err != nil {
		t.Fatal(err)
	}
	path, err := exported(t, trace, "--format", "jsonl")
	if err == nil || asExit(err).Code != exit.Unproven {
		t.Errorf("%v", err)
	}
	if n := strings.Count(readFile(t, path), `{"time_ns":`); n != 3 {
		t.Errorf("%d lines", n)
	}
}

// TestExportFull: an output that fails leaves nothing that looks whole.
func TestExportFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Fatal(err)
	}
	trace := makeTrace(t, 3)
	for _, format := range formatNames(func(f *export.Format) bool { return f.To != export.ToFolder }) {
		root := newRootCmd()
		root.SetArgs([]string{"export", trace, "--format", format, "-o", "/dev/full"})
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(fmt.Sprint(err), "no space left") {
			t.Errorf("%s: %v", format, err)
		}
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Error("/dev/full is gone")
	}
}
