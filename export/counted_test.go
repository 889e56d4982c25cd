package export

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// What is counted of a row is the same whether all of it is filled in or only that.
func TestFillCounted(t *testing.T) {
	var whole, counted Totals
	var wholeParts, countedParts Breakdown
	m, brief := Maker{}, Maker{}
	var row, short Row
	for i := range 4096 {
		o := &observe.Observation{
			Pid: uint32(i % 3), Comm: fmt.Sprint("c", i%5), Ino: uint64(i % 7), Dio: i&1 != 0, Lock: record.Lock(i >> 1 % 3), Truncated: i&8 != 0,
			Queued: i&16 != 0, Completed: i&32 != 0, Ret: int64(i - 2000), WaitNs: uint64(i), Caller: record.Caller(i % 10),
		}
		if i&64 != 0 {
			o.Incomplete = "pass"
		}
		if i&128 != 0 {
			o.Drain = new(observe.Drain)
		}
		if i&256 != 0 {
			o.Passes = make([]observe.Pass, 2)
		}
		v := &judge.Verdict{Kind: judge.Kind(i % 5), Reason: model.Reason(fmt.Sprint("why ", i%11))}
		if i%4 == 0 {
			v.Rules, v.Hazards, v.Missing = rules.R1|rules.R9, rules.R5, "size"
		}
		if i%1000 == 0 {
			o.Inside, o.InsideAt, o.Incomplete = true, record.InsideDrain, "it had not returned"
		}
		m.Fill(&row, o, v)
		brief.FillCounted(&short, o, v)
		whole.Add(&row)
		counted.Add(&short)
		wholeParts.Add(&row)
		countedParts.Add(&short)
	}
	if !reflect.DeepEqual(whole, counted) {
		t.Errorf("totals:\n%+v\nwant\n%+v", counted, whole)
	}
	a, err := wholeParts.JSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := countedParts.JSON(nil)
	if err != nil || string(a) != string(b) {
		t.Errorf("parts:\n%s\nwant\n%s", b, a)
	}
}

// The parts of each table add up to all writes, in text and JSON, and names that come
// from anybody are harmless.
func TestBreakdown(t *testing.T) {
	var b Breakdown
	for i := range 100 {
		r := Row{Pid: 1, Comm: "e\x1b[31mvil", Dev: 8 << 20, Ino: uint64(i % 20), Verdict: Some(judge.Agree), Lock: Some(Shared), Reason: "aligned"}
		if i == 7 {
			r.Verdict, r.Rules, r.Lock, r.Reason = Some(judge.Unsafe), []string{"R1"}, Some(Exclusive), "lookup missing"
		}
		b.Add(&r)
	}
	raw, err := b.JSON(names{7: "/x\n</script>"})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string][]struct {
		Name     string
		Writes   int
		Path     *string
		Verdicts map[string]int
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"reasons": 100, "files": 100, "processes": 100, "rules": 1} {
		sum := 0
		for _, p := range got[table] {
			sum += p.Writes
		}
		if sum != want {
			t.Errorf("%s: %d writes of %d", table, sum, want)
		}
	}
	first := got["files"][0] // that with the disagreement
	if first.Path == nil || *first.Path != "/x\n</script>" || first.Verdicts["unsafe"] != 1 {
		t.Errorf("first file: %+v", first)
	}
	var text strings.Builder
	if err := b.WriteText(&text, names{7: "/x\n</script>"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"RULE BROKEN", "R1", `/x\n</script>`, "inode 10 on 8:0", "and 8 more", `e\x1b[31mvil (pid 1)`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.ContainsAny(text.String(), "\x1b") {
		t.Error("an escape sequence came through")
	}
}

// Too many parts are counted together.
func TestBreakdownBounded(t *testing.T) {
	var b Breakdown
	for i := range maxParts + 10 {
		b.Add(&Row{Ino: uint64(i)})
	}
	files := b.byFile(nil)
	if last := files[len(files)-1]; len(files) != maxParts+1 || last.Name != otherParts || last.Writes != 10 {
		t.Errorf("%d files, the last %+v", len(files), last)
	}
}

// names are those of inodes.
type names map[uint64]string

func (n names) Path(id record.NameID) string { return n[id.Ino] }
