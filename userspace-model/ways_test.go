package model_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Reasons has every constant of its type, once.
func TestReasonsAreAll(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "decision.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []model.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Reason" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if text != "" {
				want = append(want, model.Reason(text))
			}
		}
		return true
	})
	if got := model.Reasons(); len(want) < 20 || !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Every step of a decision is a way of a test, or tells of a lookup, the restart or the end.
func TestSteps(t *testing.T) {
	ways := model.Ways()
	for i, w := range ways {
		if w.Func() == "" || w.Condition() == "" || w.Answer == model.Unknown || slices.Index(ways, w) != i {
			t.Errorf("way %d: %s, %q, %s", i, w.Func(), w.Condition(), w.Answer)
		}
	}
	met := make([]bool, len(ways))
	layouts := [2]model.Extents{}
	for i, text := range []string{"WUH", "UUW"} {
		var err error
		if layouts[i], err = model.ParseExtents(text); err != nil {
			t.Fatal(err)
		}
	}
	upgrades, refused := 0, map[model.End]bool{}
	for _, v := range model.Variants() {
		for bits := range 1 << 7 {
			for pos := int64(0); pos < 16384; pos += 512 {
				w := model.Write{Pos: pos, Len: 4096 - 512*int64(bits&1), Flags: uint32(bits>>1&1) * model.IocbNowait}
				in := model.NewInode(12, 12288, layouts[bits>>6])
				in.Nosec, in.Stale, in.Busy = bits>>2&1 == 0, bits>>3&1 == 1, bits>>4&1 == 1
				if bits>>5&1 == 1 {
					in.Direct.Journal = model.Yes
				}
				var out model.Outcome
				if err := model.Predict(&out, &w, in, v); err != nil {
					t.Fatal(err)
				}
				ended, upgraded := model.EndUnknown, false
				for _, s := range out.Steps() {
					if i := slices.Index(ways, model.Way{ID: s.ID, Answer: s.Answer}); i >= 0 {
						met[i] = true
					} else if s.EndedAt() == model.EndUnknown && s.Outcome() != "yes" {
						t.Fatalf("%s: %s is no way", v, s)
					}
					if s.EndedAt() != model.EndUnknown {
						ended = s.EndedAt()
					}
					upgraded = upgraded || s.Upgrades()
				}
				if upgraded != (out.Passes == 2 || out.End == model.EndN2) {
					t.Fatalf("%s: %+v: upgraded: %v, ends at %s after %d passes", v, w, upgraded, out.End, out.Passes)
				}
				if upgraded {
					upgrades++
				}
				if isRefusal := out.End.Refusal() != ""; isRefusal != (ended == out.End) {
					t.Fatalf("%s: %+v: the steps end at %s, the decision at %s", v, w, ended, out.End)
				}
				refused[ended] = true
			}
		}
	}
	for i, w := range ways {
		if !met[i] && w.Condition() != "there is something to write after the checks" {
			t.Errorf("no case goes %s: %s", w.Condition(), w.Answer)
		}
	}
	if upgrades == 0 || len(refused) < 5 {
		t.Errorf("%d upgrades, refused at %v", upgrades, refused)
	}
}
