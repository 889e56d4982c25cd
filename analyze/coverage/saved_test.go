package coverage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

func asJSON(t *testing.T, key string, all []coverage.Report) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"kind": "anything", key: all})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func load(t *testing.T, texts ...string) []coverage.Report {
	t.Helper()
	var c coverage.Coverage
	for _, text := range texts {
		if err := c.Load(strings.NewReader(text), "week.json"); err != nil {
			t.Fatal(err)
		}
	}
	return c.Reports()
}

// What is saved reads back as it was, and the counts of several add up: as if all recordings
// had been counted together.
func TestLoad(t *testing.T) {
	one, other := cover(t, "linux-7.3"), cover(t, "wrong-tail-unchecked", "linux-6.1")
	for _, key := range []string{"variants", "coverage"} {
		if got := load(t, asJSON(t, key, other)); !reflect.DeepEqual(got, other) {
			t.Errorf("%s: it reads back as\n%+v\nand was\n%+v", key, got, other)
		}
	}
	together := cover(t, "linux-7.3", "wrong-tail-unchecked", "linux-6.1")
	if got := load(t, asJSON(t, "variants", one), asJSON(t, "variants", other)); !reflect.DeepEqual(got, together) {
		t.Errorf("two add up to\n%+v\nand together they are\n%+v", got, together)
	}
}

// What is of other points, or none, is refused, and nothing of it is counted.
func TestLoadRefuses(t *testing.T) {
	good := asJSON(t, "variants", cover(t, "linux-7.3", "linux-6.1"))
	for name, c := range map[string]struct {
		text string
		want error
		says string
	}{
		"other words":    {strings.Replace(good, "the write is unaligned", "the write is odd", 2), coverage.ErrOther, "its point 1 is"},
		"a point less":   {drop(t, good), coverage.ErrOther, "it has 71 points, and here there are 72"},
		"other variant":  {strings.Replace(good, `"linux-7.3"`, `"linux-9.9"`, 1), coverage.ErrOther, `"linux-9.9", which is not known here`},
		"other rows":     {strings.Replace(good, `"fault":"`, `"fault":"no-`, 1), coverage.ErrOther, "its wrong kernel 1 is"},
		"no list":        {strings.Replace(good, `"conditions":{`, `"unknown":{`, 1), coverage.ErrOther, "no list of wrong kernels"},
		"cut off":        {good[:len(good)/2], coverage.ErrNotCoverage, "EOF"},
		"two objects":    {good + good, coverage.ErrNotCoverage, "follows"},
		"a summary":      {`{"issued": 3, "coverage": null}`, coverage.ErrNotCoverage, "coverage --json"},
		"a row":          {`{"time_ns": 3}`, coverage.ErrNotCoverage, "coverage --json"},
		"a list":         {`[]`, coverage.ErrNotCoverage, "coverage --json"},
		"too many":       {strings.Replace(good, `"writes":264`, `"writes":3`, 1), coverage.ErrNotCoverage, "cannot be"},
		"taken by none":  {strings.Replace(good, `"state":"missing"`, `"state":"taken"`, 1), coverage.ErrNotCoverage, "cannot be"},
		"missing, taken": {strings.Replace(good, `"state":"taken"`, `"state":"missing"`, 1), coverage.ErrNotCoverage, "cannot be"},
	} {
		var c2 coverage.Coverage
		err := c2.Load(strings.NewReader(c.text), "week.json")
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(c2.Reports()); n > 0 {
			t.Errorf("%s: %d variants are counted all the same", name, n)
		}
	}
}

// drop leaves the last point of the first variant out.
func drop(t *testing.T, text string) string {
	t.Helper()
	var v struct{ Variants []coverage.Report }
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	v.Variants[0].Points = v.Variants[0].Points[:len(v.Variants[0].Points)-1]
	return asJSON(t, "variants", v.Variants)
}

// The end of live is short: the share, then what is missing, and of nothing that nothing is known.
func TestWriteShort(t *testing.T) {
	var b bytes.Buffer
	for _, c := range []struct {
		all  []coverage.Report
		most int
	}{{cover(t, "linux-7.3"), 3}, {cover(t, "wrong-tail-unchecked"), 100}, {nil, 3}, {[]coverage.Report{coverage.None(model.Linux73)}, 0}} {
		if err := coverage.WriteShort(&b, c.all, c.most); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	testkit.Golden(t, "short.txt", b.String())
}

// A decider that has decided other writes before decides each as a new one does.
func TestDecider(t *testing.T) {
	n := 0
	for _, name := range []string{"linux-7.3", "linux-6.1", "wrong-tail-unchecked"} {
		in, err := tracefile.OpenRecordings("../../testdata/traces/" + name + ".e4d")
		if err != nil {
			t.Fatal(err)
		}
		defer in[0].Close()
		var reused judge.Decider
		_, err = replay.Judge(t.Context(), in[0], "auto", func(*session.Kernel) session.Seen {
			return func(o *observe.Observation, v *judge.Verdict) {
				n++
				want, _ := judge.Decide(o, v.Variant)
				if got := reused.Decide(o, v.Variant); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: write %d: %+v, want %+v", name, v.Seq, got, want)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 600 {
		t.Errorf("only %d writes", n)
	}
}
