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

// jsonRow is the contract: the names and types of the JSON fields, in order.
type jsonRow struct {
	TimeNs    uint64   `json:"time_ns"`
	Pid       uint32   `json:"pid"`
	Tid       uint32   `json:"tid"`
	Comm      string   `json:"comm"`
	Dev       string   `json:"dev"`
	Ino       uint64   `json:"ino"`
	Path      *string  `json:"path"`
	Pos       int64    `json:"pos"`
	Len       int64    `json:"len"`
	Flags     []string `json:"flags"`
	Unaligned *bool    `json:"unaligned"`
	Extending *bool    `json:"extending"`
	Lock      *string  `json:"lock"`
	Passes    *int     `json:"passes"`
	Lookups   []struct {
		Lblk  uint32 `json:"lblk"`
		Len   uint32 `json:"len"`
		Ret   int32  `json:"ret"`
		State string `json:"state"`
		Pass  int    `json:"pass"`
		Flags uint32 `json:"flags"`
	} `json:"lookups"`
	Drained   *bool `json:"drained"`
	ForceWait *bool `json:"force_wait"`
	Mappings  []struct {
		Pos         *int64   `json:"pos"`
		Len         *int64   `json:"len"`
		Type        string   `json:"type"`
		Flags       []string `json:"flags"`
		Allocated   bool     `json:"allocated"`
		AllocFlags  uint32   `json:"alloc_flags"`
		Overwrite   bool     `json:"overwrite"`
		LookupFlags *uint32  `json:"lookup_flags"`
		LookupRet   *int32   `json:"lookup_ret"`
	} `json:"mappings"`
	Zeroed []struct {
		Pos      int64    `json:"pos"`
		Len      int64    `json:"len"`
		Lock     *string  `json:"lock"`
		InFlight uint32   `json:"in_flight"`
		Type     string   `json:"type"`
		Flags    []string `json:"flags"`
	} `json:"zeroed"`
	FallbackBytes *int64        `json:"fallback_bytes"`
	Ret           *int64        `json:"ret"`
	WaitNs        *uint64       `json:"wait_ns"`
	LatencyNs     *uint64       `json:"latency_ns"`
	Slept         *bool         `json:"slept"`
	Sleeps        []jsonSleep   `json:"sleeps"`
	Variant       *string       `json:"variant"`
	Verdict       *string       `json:"verdict"`
	Rules         []string      `json:"rules"`
	Hazards       []string      `json:"hazards"`
	Expected      *jsonExpected `json:"expected"`
	Why           []string      `json:"why"`
	Stages        []string      `json:"stages"`
	Incomplete    *string       `json:"incomplete"`
	Truncated     bool          `json:"truncated"`
	Caller        *string       `json:"caller"`
	Facts         jsonFacts     `json:"facts"`
}

type jsonFacts struct {
	Blocksize uint64  `json:"blocksize"`
	Pos       int64   `json:"pos"`
	Len       int64   `json:"len"`
	ISize     int64   `json:"i_size"`
	Align     *uint32 `json:"align"`
	Checks    []struct {
		Lock      *string  `json:"lock"`
		Pos       int64    `json:"pos"`
		Len       int64    `json:"len"`
		ISize     int64    `json:"i_size"`
		IDisksize int64    `json:"i_disksize"`
		Align     *uint32  `json:"align"`
		Flags     []string `json:"flags"`
	} `json:"checks"`
	InFlight    *uint32 `json:"in_flight"`
	Modified    *string `json:"modified"`
	ModifiedRet *int    `json:"modified_ret"`
	DioFlags    uint8   `json:"dio_flags"`
	Ops         *string `json:"ops"`
	Buffered    *struct {
		Pos      int64    `json:"pos"`
		Len      int64    `json:"len"`
		Drained  bool     `json:"drained"`
		Copied   bool     `json:"copied"`
		Lock     *string  `json:"lock"`
		InFlight uint32   `json:"in_flight"`
		Refused  []string `json:"refused"`
	} `json:"buffered"`
	SubmitRet int64 `json:"submit_ret"`
	Queued    bool  `json:"queued"`
	Completed bool  `json:"completed"`
}

type jsonSleep struct {
	Cause string `json:"cause"`
	Phase string `json:"phase"`
	Ns    uint64 `json:"ns"`
}

type jsonExpected struct {
	Lock      string `json:"lock"`
	Passes    int    `json:"passes"`
	Drained   bool   `json:"drained"`
	ForceWait *bool  `json:"force_wait"`
	Ret       *int64 `json:"ret"`
}

// The hand-written JSON is what encoding/json reads and writes: same names, same
// order, same values, and every field in every row.
func TestJSONRoundTrip(t *testing.T) {
	for i, r := range exporttest.Rows() {
		line := r.AppendJSON(nil)
		var got jsonRow
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil {
			t.Fatalf("row %d: %v\n%s", i, err, line)
		}
		var again bytes.Buffer
		e := json.NewEncoder(&again)
		e.SetEscapeHTML(false)
		if err := e.Encode(got); err != nil {
			t.Fatal(err)
		}
		// Names with escapes may be escaped in another way; compare values then.
		var a, b any
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("row %d:\n got %s\nwant %s", i, line, again.Bytes())
		}
		if !strings.ContainsRune(string(line), '\\') && !bytes.Equal(line, again.Bytes()) {
			t.Errorf("row %d: not byte for byte as encoding/json:\n got %s\nwant %s", i, line, again.Bytes())
		}
		if utf8.ValidString(r.Comm) && got.Comm != r.Comm {
			t.Errorf("row %d: comm %q became %q", i, r.Comm, got.Comm)
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
		"fallback_bytes", "ret", "wait_ns", "latency_ns", "slept", "variant", "verdict", "rules", "hazards", "expected", "why", "caller",
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
	o.Mappings[0].Type, v.Why[0], v.Rules[0] = 9, "changed", "R99"
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
	s.Overlaps = overlap.Stats{Zeroed: 1, Unwaited: 2, Fallback: 3, EOFOverlaps: 4, Evicted: 5, Unchecked: 6}
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
		`4 pairs of an E-eof tail in flight and an aligned extending write in one block, which breaks no rule, 6 writes not checked for overlaps
`
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
	j, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"hazards":{"R12":1,"R5":2}`, `"overlaps":{"R2":1,"R3":2,"R5":3,"eof":4,"evicted":5,"unchecked":6}`} {
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
