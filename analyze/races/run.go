package races

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// ErrUsage is wrapped by errors about options that cannot be.
var ErrUsage = errors.New("wrong usage")

// Options choose what Run explores.
type Options struct {
	Variants []model.Variant
	// Faults to plant, one at a time. Empty is NoFault alone.
	Faults  []Fault
	Formats []Format // empty is both
	// Writers is 2 or 3; 0 is 2.
	Writers int
	// Scenario is the name of one family; empty is all with this many writers.
	Scenario string
	// Patch2 gives every variant the drain before the buffered fallback
	// (15cdefd0c052), which stable kernels have from some release on.
	Patch2 bool
}

// Finding is the shortest sequence of steps that ends in a finding of its class.
// One whose writes do not overlap is preferred to a shorter one.
type Finding struct {
	Class     Class    `json:"class"`
	Scenarios int      `json:"scenarios"` // that have a finding of this class
	Disjoint  int      `json:"disjoint"`  // of these, with writes that do not overlap
	Family    string   `json:"family"`
	Scenario  string   `json:"scenario"`
	Steps     []Step   `json:"steps"`
	Lost      []string `json:"lost"` // what is wrong at the end

	sc       Scenario
	path     []action
	disjoint bool
}

// Result is what the exploration of one variant, fault and format found.
type Result struct {
	Variant   model.Variant `json:"variant"`
	Fault     Fault         `json:"fault"`
	Format    Format        `json:"format"`
	Patch2    bool          `json:"patch2"` // the buffered fallback drains
	Scenarios int           `json:"scenarios"`
	States    int           `json:"states"`
	// WithFinding is the number of scenarios with any finding but EOFTail.
	WithFinding int       `json:"with_finding"`
	Findings    []Finding `json:"findings"`
	// Known is the finding of class EOFTail, listed apart.
	Known *Finding `json:"known,omitempty"`
}

// Report is the outcome of a run.
type Report struct {
	Writers  int      `json:"writers"`
	Scenario string   `json:"scenario,omitempty"` // the one family that was chosen
	Results  []Result `json:"results"`
}

// Found reports whether any result has a finding other than the known one.
func (r *Report) Found() bool {
	return slices.ContainsFunc(r.Results, func(res Result) bool { return res.WithFinding > 0 })
}

// Run explores every scenario of every variant, fault and format in o. The error
// wraps ErrUsage for impossible options, or is that of ctx.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Writers == 0 {
		o.Writers = 2
	}
	chosen, err := chosenFamilies(o)
	if err != nil {
		return nil, err
	}
	if len(o.Formats) == 0 {
		o.Formats = []Format{Extents, Indirect}
	}
	if len(o.Faults) == 0 {
		o.Faults = []Fault{NoFault}
	}
	rep := &Report{Writers: o.Writers, Scenario: o.Scenario}
	e := newExplorer()
	for _, v := range o.Variants {
		for _, fault := range o.Faults {
			for _, format := range o.Formats {
				res := Result{Variant: v, Fault: fault, Format: format}
				if err := e.run(ctx, &res, o.Patch2, chosen); err != nil {
					return nil, err
				}
				rep.Results = append(rep.Results, res)
			}
		}
	}
	return rep, nil
}

// chosenFamilies returns the families that the options name.
func chosenFamilies(o Options) ([]family, error) {
	if o.Writers != 2 && o.Writers != maxWriters {
		return nil, fmt.Errorf("%w: %d writers: 2 or 3", ErrUsage, o.Writers)
	}
	var out []family
	var names []string
	for _, f := range families() {
		if len(f.writes) != o.Writers {
			continue
		}
		names = append(names, f.name)
		if o.Scenario == "" || o.Scenario == f.name {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: unknown scenario %q of %d writers: one of %s", ErrUsage, o.Scenario, o.Writers, strings.Join(names, ", "))
	}
	return out, nil
}

// run explores all scenarios of the families under the variant, fault and format of res.
func (e *explorer) run(ctx context.Context, res *Result, patch2 bool, chosen []family) error {
	var best [classes]*Finding
	for _, fam := range chosen {
		for sc := range fam.each(res.Format) {
			if err := ctx.Err(); err != nil {
				return err
			}
			m := newMachine(sc, res.Variant, res.Fault)
			m.patch2 = patch2
			res.Patch2 = m.fallbackDrains()
			res.Scenarios++
			res.States += e.explore(m)
			if e.collect(m, &best) {
				res.WithFinding++
			}
		}
	}
	for c, f := range best {
		switch {
		case f == nil:
		case Class(c) == EOFTail:
			res.Known = f
		default:
			res.Findings = append(res.Findings, *f)
		}
	}
	return nil
}

// collect takes in the findings of the last scenario, and reports whether there
// is one other than the known one.
func (e *explorer) collect(m *machine, best *[classes]*Finding) bool {
	found := false
	disjoint := m.sc.disjoint()
	for c, at := range e.found {
		if at < 0 {
			continue
		}
		found = found || Class(c) != EOFTail
		f := best[c]
		if f == nil {
			f = &Finding{Class: Class(c)}
			best[c] = f
		}
		f.Scenarios++
		if disjoint {
			f.Disjoint++
		}
		path := e.seen.path(at)
		if f.path == nil || disjoint && !f.disjoint || disjoint == f.disjoint && len(path) < len(f.path) {
			f.take(m, path, disjoint)
		}
	}
	return found
}

// take makes f the finding at the end of path.
func (f *Finding) take(m *machine, path []action, disjoint bool) {
	f.sc, f.path, f.disjoint = *m.sc, path, disjoint
	f.Family, f.Scenario = m.sc.Family, m.sc.String()
	end, steps := replay(m, path)
	f.Steps, f.Lost = steps, nil
	for _, l := range m.judge(&end) {
		if l.class == f.Class {
			f.Lost = append(f.Lost, l.text)
		}
	}
}
