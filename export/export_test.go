package export_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
)

var update = flag.Bool("update", false, "rewrite the golden files; look at the difference")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test ./export -update)\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestTextGolden(t *testing.T) {
	for name, color := range map[string]bool{"rows.txt": false, "rows-color.txt": true} {
		text := export.Text{Start: exporttest.Start, Color: color}
		out := text.AppendHeader(nil)
		for _, r := range exporttest.Rows() {
			out = text.Append(out, &r)
		}
		if color {
			// Readable, and without a control character in the repository.
			out = bytes.ReplaceAll(out, []byte("\x1b"), []byte("ESC"))
		}
		golden(t, name, out)
	}
}

func TestJSONGolden(t *testing.T) {
	var out []byte
	for _, r := range exporttest.Rows() {
		out = r.AppendJSON(out)
	}
	golden(t, "rows.jsonl", out)
}

// Columns are under their titles whatever is in them, up to the last one.
func TestTextColumnsLineUp(t *testing.T) {
	text := export.Text{Start: exporttest.Start}
	head := string(text.AppendHeader(nil))
	verdict := strings.Index(head, "VERDICT")
	for _, s := range exporttest.Samples() {
		if s.Ver == nil || strings.Contains(s.Name, "hostile") || s.Name == "fallback" {
			continue // wide runes, where bytes are not columns
		}
		var r export.Row
		(&export.Maker{}).Fill(&r, s.Obs, s.Ver)
		line := string(text.Append(nil, &r))
		if !strings.HasPrefix(line[verdict:], s.Ver.Kind.String()) {
			t.Errorf("%s: no verdict in column %d:\n%s%s", s.Name, verdict, head, line)
		}
	}
}

// Nothing that a name contains may act on a terminal, in any form of output.
func TestNothingUnprintable(t *testing.T) {
	text := export.Text{}
	for _, r := range exporttest.Rows() {
		for form, out := range map[string][]byte{"text": text.Append(nil, &r), "json": r.AppendJSON(nil)} {
			for i, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
				if i > 0 && !strings.HasPrefix(line, "    ") {
					t.Errorf("%s: a name made a line of its own: %q", form, line)
				}
				if !utf8.ValidString(line) {
					t.Errorf("%s: invalid UTF-8: %q", form, line)
				}
				if at := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); at >= 0 {
					t.Errorf("%s: unprintable at %d: %q", form, at, line)
				}
			}
		}
	}
}

// checkObject compares an object with the list of its fields: their names, their order,
// the types of the values, and where null may stand.
func checkObject(t *testing.T, object []byte, fields []*schema.About) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(object))
	if brace, err := dec.Token(); err != nil || brace != json.Delim('{') {
		t.Fatalf("no object: %v, %v", brace, err)
	}
	for _, f := range fields {
		var value json.RawMessage
		if name, err := dec.Token(); err != nil || name != f.Name {
			t.Fatalf("%v in place of %s: %v", name, f.Name, err)
		}
		if err := dec.Decode(&value); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if string(value) == "null" && f.Null {
			continue
		}
		checkValue(t, value, f)
	}
	if dec.More() {
		t.Error("more fields than there should be")
	}
}

func checkValue(t *testing.T, value json.RawMessage, f *schema.About) {
	t.Helper()
	var err error
	switch f.Type {
	case schema.TypeInt32, schema.TypeInt64:
		var n json.Number
		if err = json.Unmarshal(value, &n); err == nil && strings.ContainsAny(string(value), `.eE"`) {
			t.Errorf("%s: %s is no integer", f.Name, value)
		}
	case schema.TypeBool:
		err = json.Unmarshal(value, new(bool))
	case schema.TypeText, schema.TypeWord:
		err = json.Unmarshal(value, new(string))
	case schema.TypeFlags, schema.TypeTexts:
		err = json.Unmarshal(value, new([]string))
	case schema.TypeRecord:
		checkObject(t, value, f.Kids)
	case schema.TypeList:
		var items []json.RawMessage
		err = json.Unmarshal(value, &items)
		for _, item := range items {
			checkObject(t, item, f.Kids)
		}
	}
	if err != nil || value[0] == 'n' {
		t.Errorf("%s is %s: %v", f.Name, value, err)
	}
}

// A line is what the list of fields says, in every row, and read back it is the same line.
func TestJSONRoundTrip(t *testing.T) {
	for i, r := range append(exporttest.Rows(), exporttest.Full()) {
		line := r.AppendJSON(nil)
		checkObject(t, line, export.Fields.About())
		back, err := export.ParseJSON(line)
		if err != nil {
			t.Fatalf("row %d: %v\n%s", i, err, line)
		}
		if again := back.AppendJSON(nil); utf8.ValidString(r.Comm+r.Path) && !bytes.Equal(line, again) {
			t.Errorf("row %d:\n got %s\nwant %s", i, again, line)
		}
		if utf8.ValidString(r.Comm) && back.Comm != r.Comm {
			t.Errorf("row %d: comm %q became %q", i, r.Comm, back.Comm)
		}
	}
}

// Full has a value in each field, other than that of an empty row.
func TestFull(t *testing.T) {
	full, none := exporttest.Full(), export.Row{}
	for i := range export.Fields {
		f := &export.Fields[i]
		value := func(r *export.Row) string { return string(fieldOf(t, r.AppendJSON(nil), f.Name)) }
		if got := value(&full); got == value(&none) || got == "null" {
			t.Errorf("%s is %s", f.Name, got)
		}
	}
	// Clone keeps all of it, and shares no list.
	c := full.Clone()
	if !reflect.DeepEqual(c, full) {
		t.Errorf("cloned as %+v", c)
	}
	checkApart(t, "row", reflect.ValueOf(c), reflect.ValueOf(full))
}

func fieldOf(t *testing.T, line []byte, name string) json.RawMessage {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatal(err)
	}
	return fields[name]
}

// checkApart looks for lists that are in both, those of facts among them.
func checkApart(t *testing.T, name string, a, b reflect.Value) {
	t.Helper()
	for i := range a.NumField() {
		field := name + "." + a.Type().Field(i).Name
		switch x, y := a.Field(i), b.Field(i); {
		case x.Kind() == reflect.Slice && x.Len() > 0 && x.UnsafePointer() == y.UnsafePointer():
			t.Errorf("%s is shared", field)
		case x.Kind() == reflect.Struct:
			checkApart(t, field, x, y)
		}
	}
}

// An incomplete record must not turn what was not captured into false or 0.
func TestUnknownStaysUnknown(t *testing.T) {
	m := export.Maker{NoWaits: true, NoSleeps: true}
	var r export.Row
	m.Fill(&r, &observe.Observation{Incomplete: "the return was not seen", Queued: true, Flags: 8}, nil)
	var got map[string]any
	if err := json.Unmarshal(r.AppendJSON(nil), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"path", "unaligned", "extending", "lock", "passes", "lookups", "drained", "force_wait", "mappings", "zeroed",
		"fallback_bytes", "ret", "wait_ns", "latency_ns", "slept", "variant", "verdict", "rules", "hazards", "expected", "why", "reason", "diffs", "caller",
	} {
		if v, ok := got[name]; !ok || v != nil {
			t.Errorf("%s is %v, want null", name, v)
		}
	}
	if n := strings.Count(string((&export.Text{}).Append(nil, &r)), "?"); n < 8 {
		t.Errorf("only %d question marks in text", n)
	}
}

// A row must survive the reuse of what it was made from.
func TestRowIsACopy(t *testing.T) {
	o, v := exporttest.Samples()[1].Obs, exporttest.Samples()[5].Ver
	o.Flags |= 0x8 // NOWAIT
	o.Sleeps = []observe.Sleep{{Cause: record.SleepJBD2, Ns: 1}}
	var r export.Row
	m := export.Maker{}
	m.Fill(&r, o, v)
	c := r.Clone()
	before := string(c.AppendJSON(nil))
	other := exporttest.Samples()[6].Obs
	other.Sleeps = []observe.Sleep{{Cause: record.SleepMemory, Ns: 2}}
	m.Fill(&r, other, nil)
	o.Mappings[0].Type, v.Diffs[0].Seen, v.Rules = 9, "changed", 0
	o.Sleeps[0].Cause = record.SleepDrain
	if after := string(c.AppendJSON(nil)); after != before {
		t.Errorf("changed with its source:\n%s%s", before, after)
	}
}

func TestSummary(t *testing.T) {
	var s export.Summary
	for _, r := range exporttest.Rows() {
		s.Totals.Add(&r)
	}
	s.Variant, s.Evidence = "linux-7.3", []string{"kiocb_modified was called"}
	s.Losses.LostRing, s.Losses.MissedReturn, s.Losses.Unfinished = 5, 2, 1
	var b strings.Builder
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.txt", []byte(b.String()))
	if !strings.HasPrefix(b.String(), "LOST") {
		t.Error("what was lost is not said first")
	}
	s.Losses = record.Losses{}
	b.Reset()
	s.Totals = export.Totals{}
	_, _ = s.WriteTo(&b)
	if strings.Contains(b.String(), "LOST") || strings.Contains(b.String(), "INCOMPLETE") {
		t.Errorf("nothing was lost, but it says:\n%s", b.String())
	}
}

// Rules that a kernel does not promise, and what two writes did together, are said
// when there are any, and only then.
func TestSummaryHazards(t *testing.T) {
	var s export.Summary
	for i := range 3 {
		r := exporttest.Rows()[0]
		r.Hazards = [][]string{{"R5", "R12"}, {"R5"}, nil}[i]
		if line, want := string(r.AppendJSON(nil)), []string{`"hazards":["R5","R12"],`, `"hazards":["R5"],`, `"hazards":[],`}[i]; !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
		c := r.Clone()
		if i == 0 && (len(c.Hazards) != 2 || &c.Hazards[0] == &r.Hazards[0]) {
			t.Errorf("copied as %v", c.Hazards)
		}
		s.Totals.Add(&r)
	}
	s.Overlaps = overlap.Stats{Zeroed: 1, Unwaited: 2, Fallback: 3, EOFOverlaps: 4, Evicted: 5, Unchecked: 6, Unmoved: 7, Repeated: 8}
	totals := s.Totals.Clone()
	s.Totals.Add(&export.Row{Hazards: []string{"R5"}})
	s.Totals = totals
	var b strings.Builder
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	const want = `
hazards:  2 writes broke R5, which this kernel does not promise (patch 2)
hazards:  1 write broke R12, which this kernel does not promise (patch 1)
overlaps: 1 pair broke R2 in one block, 2 pairs broke R3 in one block, 3 pairs broke R5 in one page, ` +
		`4 pairs of an E-eof tail in flight and an aligned extending write in one block, which breaks no rule, ` +
		`7 writes did not move the file position on by what was written, 8 writes began at the position where such a one had begun, and overwrote it, 6 writes not checked for overlaps
`
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
	j, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"hazards":{"R12":1,"R5":2}`, `"overlaps":{"R2":1,"R3":2,"R5":3,"eof":4,"evicted":5,"unchecked":6,"unmoved":7,"repeated":8}`} {
		if !strings.Contains(string(j), want) {
			t.Errorf("no %s in %s", want, j)
		}
	}
}

func BenchmarkFillJSON(b *testing.B) {
	s := exporttest.Samples()[1]
	m := export.Maker{}
	var r export.Row
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		m.Fill(&r, s.Obs, s.Ver)
		buf = r.AppendJSON(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkFillText(b *testing.B) {
	s := exporttest.Samples()[1]
	m, text := export.Maker{}, export.Text{}
	var r export.Row
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		m.Fill(&r, s.Obs, s.Ver)
		buf = text.Append(buf[:0], &r)
	}
	b.SetBytes(int64(len(buf)))
}
