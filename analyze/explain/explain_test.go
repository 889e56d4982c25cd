package explain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	testkit.Golden(t, name+".txt", string(got))
}

func extents(t *testing.T, text string) model.Extents {
	t.Helper()
	x, err := model.ParseExtents(text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestCases: one golden for each kind of explanation.
func TestCases(t *testing.T) {
	stripe := model.NewInode(12, 16384, extents(t, "WUUW"))
	tail := model.NewInode(12, 6000, extents(t, "W2"))
	indirect := model.NewInode(12, 16384, extents(t, "WHHW"))
	indirect.Indirect = true
	grown := model.NewInode(12, 8192, extents(t, "W2"))
	grown.ISizeAtGuess, grown.IDisksize, grown.Stale = 0, 4096, true
	inline := model.NewInode(10, 60, nil)
	inline.Direct.Inline = model.Yes
	long := model.NewInode(12, 1<<30, extents(t, "W3U1000|W4000H100000"))
	cold := model.NewInode(12, 16384, extents(t, "W4"))
	cold.Cache = model.CacheCold
	busy := model.NewInode(12, 16384, extents(t, "W4"))
	busy.Busy = true
	tests := []struct {
		name     string
		write    model.Write
		inode    *model.Inode
		variants string
	}{
		{"stripe-7.3", model.Write{Pos: 512, Len: 14336}, stripe, "linux-7.3"},
		{"stripe-series", model.Write{Pos: 512, Len: 14336}, stripe, "base,patch3,patch4"},
		{"stripe-all-nowait", model.Write{Pos: 512, Len: 14336, Flags: model.IocbNowait}, stripe, "all"},
		{"aligned-all", model.Write{Pos: 0, Len: 16384, Async: true}, stripe, "all"},
		{"tail-at-i_size", model.Write{Pos: 4096, Len: 1904}, tail, "linux-7.3"},
		{"zeroing", model.Write{Pos: 5000, Len: 2000, Buffer: 512}, stripe, "linux-7.3"},
		{"block-map", model.Write{Pos: 4096, Len: 4096}, indirect, "base,linux-7.3"},
		{"append", model.Write{Pos: 0, Len: 512, Flags: model.IocbAppend}, tail, "linux-6.1,linux-7.3"},
		{"grown", model.Write{Pos: 0, Len: 8192}, grown, "patch4,linux-7.3"},
		{"inline", model.Write{Pos: 0, Len: 1024}, inline, "linux-7.3"},
		{"long", model.Write{Pos: 4096, Len: 40 << 20}, long, "linux-7.2,linux-7.3"},
		{"cold", model.Write{Pos: 100, Len: 5000, Flags: model.IocbNowait}, cold, "linux-7.3,series-v2"},
		{"locked", model.Write{Pos: 0, Len: 4096, Flags: model.IocbNowait}, busy, "all"},
		{"empty", model.Write{Pos: 0, Len: 0}, stripe, "linux-7.3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := explain.Case{Write: tt.write, Inode: tt.inode, Variants: variants(t, tt.variants)}
			e, err := explain.Explain(c)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := e.WriteText(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, out.Bytes())
			var js bytes.Buffer
			if err := e.WriteJSON(&js); err != nil {
				t.Fatal(err)
			}
			checkJSON(t, js.Bytes(), c, e)
		})
	}
}

func variants(t *testing.T, text string) []model.Variant {
	t.Helper()
	if text == "all" {
		return model.Distinct()
	}
	var out []model.Variant
	for _, n := range strings.Split(text, ",") {
		v, err := model.ParseVariant(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// checkJSON compares the JSON with the outcomes that the text was made from.
func checkJSON(t *testing.T, js []byte, c explain.Case, e *explain.Explanation) {
	t.Helper()
	var got struct {
		Pos      int64
		Extents  string
		Parts    bool `json:"variants_differ"`
		Variants []struct {
			Variant, End, Lock string
			Passes             int
			Steps              []struct{ Function, Test, Outcome string }
			Lookups            []struct{ Pass, Lblk, Len, Ret int }
			Zeroed             []struct{ Pos, Len int64 }
			Ret                *int64
		}
	}
	if err := json.Unmarshal(js, &got); err != nil {
		t.Fatal(err)
	}
	if got.Pos != c.Write.Pos || got.Extents != c.Inode.Extents.String() || len(got.Variants) != len(c.Variants) {
		t.Fatalf("JSON of another case: %s", js)
	}
	for i, v := range got.Variants {
		o := &e.Outcomes[i]
		lock := "none"
		if o.End == model.EndDio {
			lock = o.Mode.String()
		}
		if v.Variant != o.Variant.String() || v.Lock != lock || v.Passes != o.Passes || len(v.Steps) != len(o.Steps()) ||
			len(v.Zeroed) != len(o.Zeroed) || v.Ret == nil || *v.Ret != o.Result {
			t.Errorf("%s: JSON %+v, outcome %+v", v.Variant, v, o)
		}
		for j, s := range v.Steps {
			if want := o.Steps()[j]; s.Function != want.Func() || s.Test != want.Test() || s.Outcome != want.Outcome() {
				t.Errorf("%s: step %d: %+v, want %s", v.Variant, j, s, want)
			}
		}
	}
}

// TestImpossible: a fact that cannot be is an error, and nothing is explained.
func TestImpossible(t *testing.T) {
	in := model.NewInode(12, 4096, extents(t, "W"))
	in.IDisksize = 8192
	_, err := explain.Explain(explain.Case{Write: model.Write{Len: 4096}, Inode: in, Variants: model.Distinct()})
	if !errors.Is(err, model.ErrFact) || !strings.Contains(err.Error(), "i_disksize") {
		t.Errorf("error %v", err)
	}
}

// TestObserved: what was observed beside what is expected.
func TestObserved(t *testing.T) {
	var out bytes.Buffer
	for _, r := range exporttest.Rows() {
		v := []model.Variant{model.Linux73}
		if r.Verdict.Known && len(r.Rules) > 0 {
			v = []model.Variant{model.Linux73, model.Base}
		}
		ob := explain.Observed{Title: "== " + export.Safe(r.Path) + ", by " + export.Safe(r.Comm), Write: r.Observation(), Variants: v}
		if err := ob.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	golden(t, "observed", out.Bytes())
}

// TestWidth: one variant, and up to three side by side, fit a terminal.
func TestWidth(t *testing.T) {
	for _, name := range []string{"stripe-7.3", "stripe-series", "zeroing", "long", "grown", "block-map"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(string(text), "\n") {
			if len(l) > 100 {
				t.Errorf("%s: a line of %d characters: %q", name, len(l), l)
			}
		}
	}
}
