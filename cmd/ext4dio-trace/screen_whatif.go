package main

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/ext4dio/ext4dio-trace/analyze/recorded"
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// otherVariant is the one that the screen asks for first: the newest that is merged, or
// the whole series where the kernel is that new already.
func otherVariant(d *judge.Detector) string {
	if v := d.Best(); v == model.Linux73 || v == model.SeriesV2 {
		return model.SeriesV2.String()
	}
	return model.Linux73.String()
}

// screenWhatIf counts what a variant would do with the writes that come from now on.
func (t *trace) screenWhatIf(variant string) (out whatif.Decisions, err error) {
	late := t.Order(func() {
		switch v, perr := model.ParseVariant(variant); {
		case variant == "":
			t.counter, t.counted, t.Seen = nil, "", nil
			return
		case perr != nil:
			err = perr
			return
		case t.counted != variant:
			c := whatif.NewCounter(v)
			t.counter, t.counted = c, variant
			t.Seen = func(o *observe.Observation, v *judge.Verdict) { c.Add(o, string(v.Reason)) }
		}
		out = changedFirst(t.counter.Decisions())
	})
	if late != nil && variant != "" {
		err = late
	}
	return out, err
}

// changedFirst sorts what would change to the front: it is what one looks for.
func changedFirst(d whatif.Decisions) whatif.Decisions {
	changes := func(c *whatif.Cell) int {
		if c.Now != c.Then {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(d.Cells, func(a, b whatif.Cell) int { return cmp.Compare(changes(&a), changes(&b)) })
	return d
}

// recordedWhatIf decides all writes of a recording under other variants, each once.
type recordedWhatIf struct {
	ctx    context.Context
	paths  []string
	traced string // variant

	mu   sync.Mutex
	done map[string]whatif.Decisions
}

func (r *recordedWhatIf) counts(variant string) (whatif.Decisions, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.done[variant]; ok || variant == "" {
		return known, nil
	}
	v, err := model.ParseVariant(variant)
	if err != nil {
		return whatif.Decisions{}, err
	}
	in, err := openTrace(r.paths, "", "simulated")
	if err != nil {
		return whatif.Decisions{}, err
	}
	defer in.Close()
	c := whatif.NewCounter(v)
	if err := recorded.Decisions(r.ctx, in, r.traced, c); err != nil {
		return whatif.Decisions{}, err
	}
	if r.done == nil {
		r.done = make(map[string]whatif.Decisions)
	}
	r.done[variant] = changedFirst(c.Decisions())
	return r.done[variant], nil
}
