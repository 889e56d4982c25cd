package coverage

import (
	"cmp"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Coverage counts the points that writes pass, by variant. Its zero value is empty, and one
// goroutine uses it.
type Coverage struct {
	// Unprobed are the stages whose probes were not attached in the recording that comes.
	Unprobed record.Stages
	// Gaps are what is not there of the recordings.
	Gaps []Gap

	variants []*counts
	decider  judge.Decider
}

// counts are those of one variant.
type counts struct {
	variant  model.Variant
	writes   uint64 // that count
	disagree uint64
	open     uint64 // undecided, or of which the record does not hold all
	taken    []uint64
	first    []uint64 // number of the first write, 0 when it has none
	disputed []uint64 // writes that disagree, on whose way by the model it is
	parted   []parting
	wrongs   *wrongs // nil without a list of conditions
}

// Add takes a judged write.
func (c *Coverage) Add(o *observe.Observation, v *judge.Verdict) {
	if o.Inside {
		return
	}
	n := c.of(v.Variant)
	switch {
	case v.Kind == judge.Undecided || o.Incomplete != "":
		n.open++
		return
	case v.Kind == judge.Agree:
		n.writes++
	default:
		n.disagree++
	}
	if v.Kind == judge.Agree && n.wrongs != nil {
		n.wrongs.unprobed = c.Unprobed
		n.wrongs.add(o, v.Seq)
	}
	d := c.decider.Decide(o, v.Variant)
	passed := ofWrite(o, d)
	if v.Kind != judge.Agree {
		n.parts(parted(o, d, v), v.Seq)
	}
	for i := range points {
		switch {
		case !passed.has(i):
		case v.Kind != judge.Agree:
			n.disputed[i]++
		default:
			if n.taken[i] == 0 {
				n.first[i] = v.Seq
			}
			n.taken[i]++
		}
	}
}

func (c *Coverage) of(v model.Variant) *counts {
	i := slices.IndexFunc(c.variants, func(n *counts) bool { return n.variant == v })
	if i >= 0 {
		return c.variants[i]
	}
	n := &counts{variant: v, taken: make([]uint64, len(points)), first: make([]uint64, len(points)), disputed: make([]uint64, len(points)), parted: make([]parting, len(points)), wrongs: newWrongs(v)}
	c.variants = append(c.variants, n)
	return n
}

// Report is what came out for one variant.
type Report struct {
	Variant    string      `json:"variant" doc:"name of the variant"`
	Writes     uint64      `json:"writes" doc:"writes that count: those that agree"`
	Disagree   uint64      `json:"disagree" doc:"writes that disagree, which take no point"`
	Open       uint64      `json:"open" doc:"writes that are undecided or incomplete, which take no point"`
	Taken      int         `json:"taken" doc:"points that were taken"`
	Reachable  int         `json:"reachable" doc:"points that a direct write can reach"`
	Share      float64     `json:"share" doc:"taken of reachable, at most 1; 0 of none"`
	Points     []Point     `json:"points" doc:"all points, in the kernel's order"`
	Conditions *Conditions `json:"conditions" doc:"wrong kernels that would have been noticed; null without a list for this variant"`
}

// Point is one way of one test, and how often it was taken.
type Point struct {
	Function  string `json:"function" doc:"function of the kernel"`
	Condition string `json:"condition" doc:"what is tested"`
	Way       string `json:"way" doc:"what came out"`
	State     State  `json:"state" doc:"taken, missing, or unreachable: by no direct write that the model was asked for"`
	Writes    uint64 `json:"writes" doc:"writes that took it"`
	First     uint64 `json:"first" doc:"number of the first of them, as explain --seq takes it; 0 without"`
	Disputed  uint64 `json:"disputed" doc:"writes that disagree, and take it by the model"`
	Parted    uint64 `json:"parted" doc:"writes that disagree, whose way parts from the model's at this test"`
	Where     uint64 `json:"parted_first" doc:"number of the first of those; 0 without"`
}

// State says whether a point was taken.
type State string

// States of a point.
const (
	Taken       State = "taken"
	Missing     State = "missing"
	Unreachable State = "unreachable"
)

// Reports are those of all variants that were met, by their names.
func (c *Coverage) Reports() []Report {
	out := []Report{}
	for _, n := range c.variants {
		out = append(out, n.report())
	}
	slices.SortFunc(out, func(a, b Report) int { return cmp.Compare(a.Variant, b.Variant) })
	return out
}

func (n *counts) report() Report {
	r := Report{Variant: n.variant.String(), Writes: n.writes, Disagree: n.disagree, Open: n.open}
	r.Conditions = n.wrongs.report()
	can := canReach(n.variant)
	for i, p := range points {
		out := Point{Function: p.fn, Condition: p.condition, Way: p.way, Writes: n.taken[i], First: n.first[i], Disputed: n.disputed[i],
			Parted: n.parted[i].writes, Where: n.parted[i].first}
		switch {
		case n.taken[i] > 0: // which proves that it can be reached
			out.State = Taken
			r.Taken++
			r.Reachable++
		case can.has(i):
			out.State = Missing
			r.Reachable++
		default:
			out.State = Unreachable
		}
		r.Points = append(r.Points, out)
	}
	if r.Reachable > 0 {
		r.Share = float64(r.Taken) / float64(r.Reachable)
	}
	return r
}
