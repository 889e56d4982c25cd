package emit

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Plan is which tests take the missing points of one variant.
type Plan struct {
	Report coverage.Report // whose points are missing
	Tests  []*Test
	Others []Other
}

// Test is the beginning of a scenario, as xfs_io makes it.
type Test struct {
	Number   int
	Scenario validate.Scenario // up to the last write that is needed
	Takes    []Taken
}

// Taken is a point, and the write that takes it.
type Taken struct {
	Point int // place in Report.Points
	Write int // of the test, from 1
	// Unless is the patch with which a kernel goes another way, which some releases of it have
	// by a backport; 0 for none.
	Unless int
}

// Other is a point that no script takes, and what does.
type Other struct {
	Point    int
	Scenario string // "" when no scenario does
	Async    bool   // its write is not waited for
}

// part is a scenario up to one of its writes, and what its writes take.
type part struct {
	scenario *validate.Scenario // as xfs_io makes it
	steps    int
	cost     int
	takes    []Taken
}

// Make plans tests for what is missing in a report.
func Make(r coverage.Report) (*Plan, error) {
	v, err := model.ParseVariant(r.Variant)
	if err != nil {
		return nil, err
	}
	all, err := validate.Builtin()
	if err != nil {
		return nil, err
	}
	p := &Plan{Report: r}
	missing := map[int]bool{}
	for i := range r.Points {
		if r.Points[i].State == coverage.Missing {
			missing[i] = true
		}
	}
	var parts []part
	for i := range all {
		sc := port(&all[i])
		some, err := partsOf(&sc, v)
		if err != nil {
			return nil, err
		}
		parts = append(parts, some...)
	}
	for _, c := range cover(parts, missing) {
		test := &Test{Scenario: c.test(), Takes: c.takes}
		if err := test.backported(v); err != nil {
			return nil, err
		}
		p.Tests = append(p.Tests, test)
	}
	return p, p.others(all, v, missing)
}

// partsOf are the parts of a scenario, each up to one of its writes.
func partsOf(sc *validate.Scenario, v model.Variant) ([]part, error) {
	steps, err := takenBy(sc, v)
	if err != nil {
		return nil, err
	}
	var out []part
	var takes []Taken
	have := map[int]bool{}
	writes := 0
	for i, s := range sc.Steps {
		if s.Write == nil {
			continue
		}
		writes++
		for _, point := range steps[i] {
			if !have[point] {
				have[point] = true
				takes = append(takes, Taken{Point: point, Write: writes})
			}
		}
		out = append(out, part{scenario: sc, steps: i + 1, cost: i + 1 + placeOf(sc).cost(), takes: slices.Clone(takes)})
	}
	return out, nil
}

// takenBy are the points that each write of a scenario takes, whether or not it finds its time
// stamps out of date where the scenario leaves that open.
func takenBy(sc *validate.Scenario, v model.Variant) (map[int][]int, error) {
	var seen [2]map[int][]int
	for i, stale := range []bool{false, true} {
		seen[i] = map[int][]int{}
		err := sc.Foresee(v, stale, func(f validate.Foreseen) {
			seen[i][f.Step] = append(seen[i][f.Step], coverage.Foreseen(f.Out, f.Pos)...)
		})
		if err != nil {
			return nil, err
		}
	}
	for step, points := range seen[0] {
		seen[0][step] = slices.DeleteFunc(points, func(p int) bool { return !slices.Contains(seen[1][step], p) })
	}
	return seen[0], nil
}

// cover chooses parts that take as many of the missing points as there are parts for: each time
// the one with the fewest steps for each new point. missing is what is left then.
func cover(parts []part, missing map[int]bool) (out []part) {
	fresh := func(p *part) (n int) {
		for _, t := range p.takes {
			if missing[t.Point] {
				n++
			}
		}
		return n
	}
	for {
		best, most := -1, 0
		for i := range parts {
			n := fresh(&parts[i])
			if n == 0 {
				continue
			}
			if best < 0 || cmp.Or(cmp.Compare(parts[i].cost*most, parts[best].cost*n), cmp.Compare(parts[i].cost, parts[best].cost)) < 0 {
				best, most = i, n
			}
		}
		if best < 0 {
			return out
		}
		chosen := parts[best]
		chosen.takes = slices.DeleteFunc(slices.Clone(chosen.takes), func(t Taken) bool { return !missing[t.Point] })
		for _, t := range chosen.takes {
			delete(missing, t.Point)
		}
		out = append(out, chosen)
	}
}

// test is the part as a scenario of its own. What may be refused without waiting is written at
// the end, so that the bytes are the same on every kernel.
func (p *part) test() validate.Scenario {
	sc := *p.scenario
	sc.Steps = slices.Clone(sc.Steps[:p.steps])
	for _, s := range sc.Steps {
		if s.Write != nil && s.Write.Flags&unix.RWF_NOWAIT != 0 && s.Write.Flags&unix.RWF_APPEND == 0 {
			again := *s.Write
			again.Flags &^= unix.RWF_NOWAIT
			again.Fresh = -1
			sc.Steps = append(sc.Steps, validate.Step{Text: "again", Write: &again})
		}
	}
	return sc
}

// backported marks what a test does not take on a kernel that has the patch which the variant leaves open.
func (t *Test) backported(v model.Variant) error {
	n := model.PatchOf(v.Open())
	if n == 0 {
		return nil
	}
	steps, err := takenBy(&t.Scenario, v.WithPatch(n, true))
	if err != nil {
		return err
	}
	for i := range t.Takes {
		taken := false
		for _, points := range steps {
			taken = taken || slices.Contains(points, t.Takes[i].Point)
		}
		if !taken {
			t.Takes[i].Unless = n
		}
	}
	return nil
}

// others finds scenarios for what no script takes.
func (p *Plan) others(all []validate.Scenario, v model.Variant, missing map[int]bool) error {
	best := map[int]*validate.Scenario{}
	for i := range all {
		steps, err := takenBy(&all[i], v)
		if err != nil {
			return err
		}
		for _, points := range steps {
			for _, point := range points {
				if best[point] == nil || len(all[i].Steps)+placeOf(&all[i]).cost() < len(best[point].Steps)+placeOf(best[point]).cost() {
					best[point] = &all[i]
				}
			}
		}
	}
	for i := range p.Report.Points {
		if missing[i] {
			o := Other{Point: i}
			if sc := best[i]; sc != nil {
				o.Scenario = sc.Name
				o.Async = slices.ContainsFunc(sc.Steps, func(s validate.Step) bool { return s.Write != nil && s.Write.Engine.Async() })
			}
			p.Others = append(p.Others, o)
		}
	}
	return nil
}
