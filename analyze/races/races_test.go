package races

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

func explore(t *testing.T, o Options) *Report {
	t.Helper()
	rep, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func found(res *Result) []Class {
	var out []Class
	for _, f := range res.Findings {
		out = append(out, f.Class)
	}
	return out
}

// What every variant gives, within the bounds, for two writers.
func TestVariants(t *testing.T) {
	t.Parallel()
	race := []Class{Lost, Invalidate} // the one that patch 2 closes
	want := map[model.Variant]struct {
		indirect []Class
		eof      [2]int // scenarios with EOFTail: extents, indirect
	}{
		model.Linux61:  {race, [2]int{}},
		model.Linux612: {race, [2]int{80, 50}},
		model.Linux72:  {nil, [2]int{80, 50}},
		model.Base:     {race, [2]int{80, 50}},
		model.Patch3:   {nil, [2]int{80, 50}},
		model.Patch4:   {nil, [2]int{102, 52}},
		model.Linux73:  {nil, [2]int{102, 52}},
		model.SeriesV2: {nil, [2]int{102, 52}},
	}
	rep := explore(t, Options{Variants: model.Distinct()})
	if len(rep.Results) != 2*len(want) {
		t.Fatalf("%d results", len(rep.Results))
	}
	for i := range rep.Results {
		res := &rep.Results[i]
		w := want[res.Variant]
		var classes []Class
		eof, scenarios, states := w.eof[0], 9000, 700000
		if res.Format == Indirect {
			classes, eof, scenarios, states = w.indirect, w.eof[1], 4500, 350000
		}
		if got := found(res); !slices.Equal(got, classes) {
			t.Errorf("%s, %s: findings %v, want %v", res.Variant, res.Format, got, classes)
		}
		known := 0
		if res.Known != nil {
			known = res.Known.Scenarios
		}
		if known != eof {
			t.Errorf("%s, %s: eof-tail in %d scenarios, want %d", res.Variant, res.Format, known, eof)
		}
		if res.Scenarios < scenarios || res.States < states {
			t.Errorf("%s, %s: only %d scenarios, %d states", res.Variant, res.Format, res.Scenarios, res.States)
		}
	}
}

// With patch 2 the kernels that lack it lose nothing on indirect inodes either.
func TestPatch2(t *testing.T) {
	rep := explore(t, Options{
		Variants: []model.Variant{model.Linux61, model.Linux612, model.Base}, Formats: []Format{Indirect}, Patch2: true,
	})
	for i := range rep.Results {
		if res := &rep.Results[i]; len(res.Findings) > 0 || !res.Patch2 {
			t.Errorf("%s: %v", res.Variant, found(res))
		}
	}
}

// Each planted fault is found, and named by what it loses.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault    Fault
		scenario string
		format   Format
		variant  model.Variant
		disjoint bool // writes that do not overlap lose bytes, too
	}{
		{NoDrain, "pairs", Extents, model.Linux73, true},
		{NoForceWait, "pairs", Extents, model.Linux73, true},
		{TailUnchecked, "pairs", Extents, model.Linux73, false},
		{UnwrittenAsWritten, "pairs", Extents, model.Linux73, true},
		{NoRecheck, "append", Extents, model.Linux73, true},
		{ExtendingShared, "pairs", Extents, model.Linux73, true},
		{NoFallbackDrain, "pairs", Indirect, model.Patch4, true},
		{NoFallbackDrain, "pairs", Indirect, model.Linux73, true},
	} {
		rep := explore(t, Options{Variants: []model.Variant{tt.variant}, Faults: []Fault{tt.fault}, Formats: []Format{tt.format}, Scenario: tt.scenario})
		res := &rep.Results[0]
		if !rep.Found() || len(res.Findings) == 0 || res.Findings[0].Class != Lost {
			t.Errorf("%s on %s: findings %v", tt.fault, tt.variant, found(res))
			continue
		}
		if got := res.Findings[0].Disjoint > 0; got != tt.disjoint {
			t.Errorf("%s on %s: with writes that do not overlap: %v", tt.fault, tt.variant, got)
		}
		checkReplay(t, res)
	}
	if len(Faults()) != len(faultTexts)-1 {
		t.Error("a fault is missing from Faults")
	}
}

// Patch 2 matters to indirect inodes only: extents have no fallback.
func TestFallbackIsIndirectOnly(t *testing.T) {
	rep := explore(t, Options{Variants: []model.Variant{model.Linux73}, Faults: []Fault{NoFallbackDrain}, Formats: []Format{Extents}, Scenario: "pairs"})
	if rep.Found() {
		t.Errorf("findings %v", found(&rep.Results[0]))
	}
}

func TestThreeWriters(t *testing.T) {
	t.Parallel()
	rep := explore(t, Options{Variants: []model.Variant{model.Linux73}, Writers: 3, Formats: []Format{Extents}})
	for i := range rep.Results {
		res := &rep.Results[i]
		if len(res.Findings) > 0 || res.States < 1000000 {
			t.Errorf("%s: findings %v in %d states", res.Format, found(res), res.States)
		}
	}
	rep = explore(t, Options{Variants: []model.Variant{model.Patch4}, Writers: 3, Scenario: "three", Formats: []Format{Indirect}, Faults: []Fault{NoFallbackDrain}})
	checkReplay(t, &rep.Results[0])
	if !rep.Found() {
		t.Error("no-fallback-drain not found with three writers")
	}
}

// Patch 4 lets more writes get to class EOFTail, and no others than these.
func TestPatch4WidensEOFTail(t *testing.T) {
	t.Parallel()
	e := newExplorer()
	more := 0
	for _, fam := range families() {
		if fam.name != "pairs" && fam.name != "nosec" && fam.name != "block" {
			continue
		}
		for sc := range fam.each(Extents) {
			e.explore(newMachine(sc, model.Patch3, NoFault))
			before := e.found[EOFTail] >= 0
			e.explore(newMachine(sc, model.Patch4, NoFault))
			after := e.found[EOFTail] >= 0
			if before && !after {
				t.Errorf("%s: no longer", sc)
			}
			if before == after {
				continue
			}
			more++
			first := sc.Writes[0]
			if !sc.Insecure && (first.Pos != 0 || first.Len != 3 || sc.Blocks[0] == model.Written) {
				t.Errorf("%s: neither begins in a block that is not written nor finds S_NOSEC clear", sc)
			}
		}
	}
	if more != 6 {
		t.Errorf("%d more scenarios, want 6", more)
	}
}

// The pad at i_size: which variants lose bytes to it, and that sync writes do not.
func TestEOFTail(t *testing.T) {
	rep := explore(t, Options{Variants: model.Distinct(), Scenario: EOFTailScenario})
	for i := range rep.Results {
		res := &rep.Results[i]
		if len(res.Findings) > 0 {
			t.Errorf("%s: findings %v", res.Variant, found(res))
		}
		if has := res.Known != nil; has != (res.Variant != model.Linux61) {
			t.Errorf("%s: eof-tail %v", res.Variant, has)
		}
		if res.Known != nil {
			checkReplayed(t, res, res.Known)
		}
	}
	e := newExplorer()
	for sc := range familyOf(t, EOFTailScenario).each(Extents) {
		sc.Writes[0].Async = false
		e.explore(newMachine(sc, model.Linux73, NoFault))
		if e.found[EOFTail] >= 0 {
			t.Error("a sync write loses bytes, too: it holds the lock until its bios have landed")
		}
	}
}

func checkReplay(t *testing.T, res *Result) {
	t.Helper()
	for i := range res.Findings {
		checkReplayed(t, res, &res.Findings[i])
	}
}

// checkReplayed takes the steps of a finding one by one: each must be possible
// where it is taken, nothing must be possible at the end, and what is lost there
// must be what was reported.
func checkReplayed(t *testing.T, res *Result, f *Finding) {
	t.Helper()
	m := newMachine(&f.sc, res.Variant, res.Fault)
	s := f.sc.start()
	for i, a := range f.path {
		if !slices.Contains(m.actions(&s, nil), a) {
			t.Fatalf("%s, %s: step %d %v is not possible", res.Fault, f.Class, i, a)
		}
		m.apply(&s, a)
	}
	if left := m.actions(&s, nil); len(left) > 0 {
		t.Errorf("%s, %s: %v could still happen", res.Fault, f.Class, left)
	}
	again, steps := replay(m, f.path)
	if again != s || !slices.Equal(steps, f.Steps) {
		t.Errorf("%s, %s: a replay ends elsewhere", res.Fault, f.Class)
	}
	var lost []string
	for _, l := range m.judge(&s) {
		if l.class == f.Class {
			lost = append(lost, l.text)
		}
	}
	if len(lost) == 0 || !slices.Equal(lost, f.Lost) {
		t.Errorf("%s, %s: replay lost %v, reported %v", res.Fault, f.Class, lost, f.Lost)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{Writers: 4}, {Writers: 1}, {Scenario: "four"}, {Writers: 3, Scenario: "pairs"}} {
		o.Variants = []model.Variant{model.Base}
		if _, err := Run(t.Context(), o); !errors.Is(err, ErrUsage) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Variants: model.Distinct()}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, f := range append(Faults(), NoFault) {
		if got, err := ParseFault(f.String()); err != nil || got != f {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	if _, err := ParseFault("no"); err == nil || !strings.Contains(err.Error(), "no-drain") {
		t.Errorf("ParseFault: %v", err)
	}
}
