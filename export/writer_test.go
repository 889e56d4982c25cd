package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
)

// hostile rows have every name that could do harm somewhere.
func hostileRows() []export.Row {
	rows := append(exporttest.Rows(), exporttest.Full())
	for _, name := range exporttest.Hostile {
		r := rows[0].Clone()
		r.Comm, r.Path = name, "/mnt/"+name
		rows = append(rows, r)
		r.Path = name
		rows = append(rows, r)
	}
	return rows
}

func writeAll(t *testing.T, w export.Writer, rows []export.Row) {
	t.Helper()
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestJSONL(t *testing.T) {
	rows := hostileRows()
	var got bytes.Buffer
	writeAll(t, export.NewJSONL(&got, export.StartLine{}), rows)
	want := export.AppendStart(nil, export.StartLine{})
	for i := range rows {
		want = rows[i].AppendJSON(want)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the lines are not those of live --json")
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(got.Bytes(), []byte("\n")), []byte("\n")) {
		if !json.Valid(line) {
			t.Errorf("no JSON: %q", line)
		}
		if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e || r == 0x200f }); i >= 0 {
			t.Errorf("a control character in %q", line)
		}
	}
}

// TestCSV reads the cells back and compares them with the JSON of the same rows.
func TestCSV(t *testing.T) {
	rows := hostileRows()
	var out bytes.Buffer
	writeAll(t, export.NewCSV(&out), rows)
	if n := strings.Count(out.String(), "\r\n"); n != len(rows)+1 || n != strings.Count(out.String(), "\n") {
		t.Errorf("%d lines for %d rows and a header", n, len(rows))
	}
	in := csv.NewReader(&out)
	head, err := in.Read()
	if err != nil {
		t.Fatal(err)
	}
	// Columns that were there before keep their places.
	if head[0] != "time_ns" || head[35] != "facts" || !slices.Equal(head[36:38], []string{"reason", "diffs"}) || len(head) != len(export.Fields) {
		t.Errorf("header %q", head)
	}
	for i := range rows {
		cells, err := in.Read()
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(rows[i].AppendJSON(nil), &want); err != nil {
			t.Fatal(err)
		}
		for j, name := range head {
			if got := cellJSON(cells[j], want[name]); got != string(want[name]) {
				t.Errorf("row %d: %s is %q, not %s", i, name, cells[j], want[name])
			}
			delete(want, name)
		}
		if len(want) != 0 {
			t.Errorf("row %d: no column for %v", i, want)
		}
	}
	if _, err := in.Read(); !errors.Is(err, io.EOF) {
		t.Errorf("more lines: %v", err)
	}
}

// cellJSON turns a cell back into JSON, knowing what sort of value it was.
func cellJSON(cell string, like json.RawMessage) string {
	switch {
	case cell == "" && string(like) == `""`:
		return `""`
	case cell == "":
		return "null"
	case like[0] != '"':
		return cell
	}
	var b strings.Builder
	cell = strings.TrimPrefix(cell, "'")
	for i := 0; i < len(cell); i++ {
		switch cell[i] {
		case '\\':
			b.WriteByte('\\')
			i++
		case '"':
			b.WriteByte('\\')
		}
		b.WriteByte(cell[i])
	}
	return `"` + b.String() + `"`
}

func TestCSVFormulas(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1":      `"'=1+1"`,
		"@SUM(A1)":  `"'@SUM(A1)"`,
		"-2":        `"'-2"`,
		"+x,y":      `"'+x,y"`,
		"'x":        `"''x"`,
		"＝1":        `"'＝1"`,
		"\t=1":      `\u0009=1`,
		"\r\n=1":    `\u000d\u000a=1`,
		"a\"b":      `"a""b"`,
		"a=b":       "a=b",
		"/mnt/file": "/mnt/file",
	} {
		r := export.Row{Comm: text}
		var out bytes.Buffer
		writeAll(t, export.NewCSV(&out), []export.Row{r})
		_, line, _ := strings.Cut(out.String(), "\r\n")
		if !strings.HasPrefix(line, "0,0,0,"+want+",0:0,") {
			t.Errorf("%q is written as %.40s", text, line)
		}
	}
	var out bytes.Buffer
	writeAll(t, export.NewCSV(&out), nil)
	if !strings.HasPrefix(out.String(), "time_ns,pid,") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("no rows: %q", out.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriterFails(t *testing.T) {
	for name, w := range map[string]export.Writer{"jsonl": export.NewJSONL(full{}, export.StartLine{}), "csv": export.NewCSV(full{})} {
		r := export.Row{Comm: strings.Repeat("x", 1<<20)}
		if err := w.Write(&r); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func benchmarkWriter(b *testing.B, w export.Writer) {
	s := exporttest.Samples()[1]
	m := export.Maker{Names: exporttest.Paths{}}
	var r export.Row
	b.ReportAllocs()
	for b.Loop() {
		m.Fill(&r, s.Obs, s.Ver)
		if err := w.Write(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func BenchmarkJSONL(b *testing.B) {
	benchmarkWriter(b, export.NewJSONL(io.Discard, export.StartLine{}))
}
func BenchmarkCSV(b *testing.B) { benchmarkWriter(b, export.NewCSV(io.Discard)) }
