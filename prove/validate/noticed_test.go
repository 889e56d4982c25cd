package validate

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/analyze/coverage/sketch"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// recorder hands each write that the right kernel makes to a function.
type recorder struct {
	simSketch
	each func(f *simFile, w *simWrite, o *observe.Observation)
}

func (r recorder) attempt(f *simFile, w *simWrite) *observe.Observation {
	o := r.simSketch.attempt(f, w)
	r.each(f, w, o)
	return o
}

func TestX(t *testing.T) {
	scs := builtinScenarios(t)
	var b strings.Builder
	for _, v := range sketched() {
		truth, claim := map[string]map[string]bool{}, map[string]map[string]bool{}
		put := func(m map[string]map[string]bool, f, sc string) {
			if m[f] == nil {
				m[f] = map[string]bool{}
			}
			m[f][sc] = true
		}
		asked := faults(t, scs, v)
		nrep, nother, notagree := 0, 0, 0
		for i := range scs {
			sc := scs[i].Name
			var c coverage.Coverage
			rec := recorder{kernelOf(v, sketch.Fault{}), func(f *simFile, w *simWrite, o *observe.Observation) {
				ver := judge.Compare(o, v)
				if ver.Kind != judge.Agree {
					notagree++
					if v == model.Linux73 { t.Logf("%s: %s %v", sc, ver.Kind, ver.Why()) }
				}
				c.Add(o, ver)
				for _, r := range sketch.Rows() {
					fo := kernelOf(v, r.Fault).attempt(f.clone(), w)
					fv := judge.Compare(fo, v)
					if fv.Kind.Disagrees() {
						put(truth, r.Fault.String(), sc)
					}
				}
			}}
			simulate(t, &scs[i], rec, v.String())
			for _, rep := range c.Reports() {
				nrep += int(rep.Conditions.Repeated)
				nother += int(rep.Conditions.Other)
				for _, row := range rep.Conditions.Rows {
					if row.State == coverage.Noticed {
						put(claim, row.Fault, sc)
						if !truth[row.Fault][sc] {
							t.Errorf("%s: %s claimed in %s, and is not noticed there", v, row.Fault, sc)
						}
					}
				}
			}
		}
		fmt.Fprintf(&b, "== %s repeated %d other %d notagree %d\n", v, nrep, nother, notagree)
		for _, r := range sketch.Rows() {
			f := r.Fault.String()
			if !asked[r.Fault] { continue }
			var missing []string
			for sc := range truth[f] { if !claim[f][sc] { missing = append(missing, sc) } }
			sort.Strings(missing)
			s := fmt.Sprintf("%-12s %-30s truth %d claim %d", r.Section, f, len(truth[f]), len(claim[f]))
			if len(missing) > 0 { s += fmt.Sprintf(" missing %.150s", fmt.Sprint(missing)) }
			fmt.Fprintln(&b, s)
		}
	}
	os.WriteFile("/tmp/conds-x.txt", []byte(b.String()), 0o644)
}
