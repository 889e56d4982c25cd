package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// TestMarkFields: docs/marks.md has the fields of the JSON.
func TestMarkFields(t *testing.T) {
	fieldTables(t, "../../docs/marks.md", map[string]any{
		"| mark | what it is |": coverage.Marked{}, "| new point | what it is |": coverage.NewPoint{},
	})
}

// markedTrace is a recorded trace with marks between its writes, and how many writes each has; it
// ends in the middle of the last mark.
func markedTrace(t *testing.T) (path string, writes map[string]int) {
	t.Helper()
	in, err := openTrace([]string{filepath.Join("..", "..", "testdata", "traces", "linux-7.3.e4d")}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var raws [][]byte
	var began []uint64
	for {
		raw, err := in.Next()
		if errors.Is(err, record.ErrEnd) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, bytes.Clone(raw))
		if kind, _, _ := record.KindOf(raw); kind == record.KindWrite {
			from, _, _ := record.TimesOf(raw)
			began = append(began, from)
		}
	}
	n := len(began)
	marks := []tracefile.Mark{
		{Time: began[n/5], Name: "generic/001"}, {Time: began[n/5] + 1, Name: ""}, {Time: began[n/4], Name: "generic/002"},
		{Time: began[n/4] + 1, Name: "secret/003"}, {Time: began[n/2], Name: "generic/001"}, {Time: began[n-1] + 1<<40, Name: "empty"},
	}
	writes = map[string]int{"empty": 0}
	for _, t := range began {
		name := ""
		for _, m := range marks {
			if m.Time <= t {
				name = m.Name
			}
		}
		writes[name]++
	}
	path = filepath.Join(t.TempDir(), "marked.e4d")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := tracefile.NewWriter(f, in.Info())
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	check(w.PutMarks(marks))
	l := record.Losses{Counters: record.Counters{Seen: uint64(n)}}
	for _, raw := range raws {
		check(w.Append(raw, &l))
	}
	check(w.Close(&l))
	return path, writes
}

// printed runs a command line, and returns what it writes to standard output.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stdout := os.Stdout
	os.Stdout = f
	defer func() { os.Stdout = stdout }()
	var stderr bytes.Buffer
	if status := run(args, &stderr); status != 0 {
		t.Fatalf("%q: status %d: %s", args, status, stderr.String())
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What came of each mark is told by coverage and by check alike: its writes by the mark in force
// when they began, marks of one name together, one without writes, too.
func TestByMark(t *testing.T) {
	trace, writes := markedTrace(t)
	var cov struct {
		Marks    []coverage.Marked
		Variants []coverage.Report
	}
	var checked struct {
		Traces []struct{ Marks []coverage.Marked }
	}
	for args, to := range map[string]any{"coverage": &cov, "check": &checked} {
		if err := json.Unmarshal([]byte(printed(t, args, "--by", "mark", "--json", trace)), to); err != nil {
			t.Fatal(args, err)
		}
	}
	var names []string
	newWays := 0
	for i, m := range cov.Marks {
		name := ""
		if m.Mark != nil {
			name = *m.Mark
		}
		names = append(names, name)
		if want := writes[name]; m.Writes != uint64(want) || m.Shared+m.Exclusive+m.None != m.Writes || m.Disagree+m.Open != 0 {
			t.Errorf("%q: %+v, want %d writes", name, m, want)
		}
		if newWays += len(m.New); len(m.New) > m.Taken || m.Writes > 0 != (m.Taken > 0) {
			t.Errorf("%q took %d, %d of them new", name, m.Taken, len(m.New))
		}
		if other := checked.Traces[0].Marks[i]; fmt.Sprint(m.Writes, m.New, m.Taken) != fmt.Sprint(other.Writes, other.New, other.Taken) {
			t.Errorf("%q: check has %+v", name, other)
		}
	}
	if got := strings.Join(names, ","); got != ",generic/001,generic/002,secret/003,empty" {
		t.Errorf("marks %q", got)
	}
	if newWays != cov.Variants[0].Taken {
		t.Errorf("%d ways are new, %d were taken", newWays, cov.Variants[0].Taken)
	}
	for args, want := range map[string]string{
		"coverage --by mark": "\nempty ", "check --by mark": "\nsecret/003 ", "report": "\n---", "view --plain": "-- MARK here: secret/003\n",
	} {
		if text := printed(t, append(strings.Fields(args), trace)...); !strings.Contains(text, want) {
			t.Errorf("%s has no %q:\n%.2000s", args, want, text)
		}
	}
	if text := printed(t, "report", trace); !strings.Contains(text, "By mark") || !strings.Contains(text, "  generic/001\n") {
		t.Errorf("the report has no marks")
	}
	if text := printed(t, "report", filepath.Join("..", "..", "testdata", "traces", "linux-7.3.e4d")); strings.Contains(text, "By mark") {
		t.Errorf("the report of a trace without marks has some")
	}
}

// A filter knows the mark of a write; a write without one is known to have none.
func TestMarkFilter(t *testing.T) {
	trace, writes := markedTrace(t)
	all := 0
	for _, n := range writes {
		all += n
	}
	for filter, want := range map[string]int{
		"mark=generic/001": writes["generic/001"], `mark~"^generic/00[12]$"`: writes["generic/001"] + writes["generic/002"],
		"mark~SECRET": writes["secret/003"], "mark!=generic/001": all - writes["generic/001"], `mark=""`: writes[""], "mark=empty": 0,
	} {
		if rows := exportedRows(t, trace, "--filter", filter); len(rows) != want {
			t.Errorf("%s: %d writes, want %d", filter, len(rows), want)
		}
	}
	if text := printed(t, "check", "--expect", "mark=secret/003: writes>0, disagree=0", trace); !strings.Contains(text, "2 kept") {
		t.Errorf("a policy about a mark:\n%.600s", text)
	}
}

// A copy keeps the marks, and a redacted one has tokens in their place, the same for the same name.
func TestMarksOfACopy(t *testing.T) {
	trace, writes := markedTrace(t)
	for _, redacted := range []bool{false, true} {
		flags := []string{"--format", "e4d"}
		if redacted {
			flags = append(flags, "--redact")
		}
		path, err := exported(t, trace, flags...)
		if err != nil {
			t.Fatal(err)
		}
		text := printed(t, "coverage", "--by", "mark", path)
		if strings.Contains(text, "secret") == redacted || strings.Contains(text, "mark-") != redacted {
			t.Errorf("redacted %v:\n%s", redacted, text)
		}
		if n := strings.Count(text, "\n"); n != len(writes)+2 {
			t.Errorf("redacted %v: %d lines", redacted, n)
		}
	}
	for _, r := range exportedRows(t, trace, "--redact") {
		if r.Mark != "" && !strings.HasPrefix(r.Mark, "mark-") {
			t.Fatalf("a row has the mark %q", r.Mark)
		}
	}
}
