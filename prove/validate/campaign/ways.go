package campaign

import (
	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// ways are those that the writes of a run went. What is seen before the variant is known waits.
type ways struct {
	cover   coverage.Coverage
	waiting []*observe.Observation
}

// add takes a write and its verdict under v, 0 while that is not known.
func (w *ways) add(o *observe.Observation, ver *judge.Verdict, v model.Variant) {
	if v == 0 {
		w.waiting = append(w.waiting, o.Clone())
		return
	}
	numberless := *ver
	numberless.Seq = 0 // nothing is recorded in which explain could look it up
	w.cover.Add(o, &numberless)
}

// reports judges what waits under v, and says what was taken.
func (w *ways) reports(v model.Variant, unprobed record.Stages) []coverage.Report {
	for _, o := range w.waiting {
		w.cover.Add(o, judge.CompareSeen(o, v, unprobed))
	}
	w.waiting = nil
	return w.cover.Reports()
}
