package session

import (
	"errors"

	"github.com/ext4dio/ext4dio-trace/decode/blame"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/record"
)

// InsideNow lists the writes that are in the kernel, with the stacks of those that sleep.
// Asynchronous ones that have returned are among them when queued says so, see
// probes.Session.Inside. It may be called by any goroutine until the capture is closed.
func (c *Capture) InsideNow(names export.Names, queued bool) ([]export.Inside, error) {
	raw, err := c.Inside(queued)
	if err != nil {
		return nil, err
	}
	return c.insideOf(raw, names), nil
}

// Unreturned lists the writes that had not returned at the end, as they were recorded.
func (c *Capture) Unreturned(names export.Names) []export.Inside { return c.insideOf(c.Left(), names) }

// insideOf makes rows of records of writes that are inside.
func (c *Capture) insideOf(raw [][]byte, names export.Names) []export.Inside {
	var all []*observe.Observation
	ob := observe.NewObserver(func(o *observe.Observation) { all = append(all, o.Clone()) })
	holders := blame.NewFinder(false) // who holds it no more is not told of here
	ob.Arrived, ob.Held = holders.Add, holders.Hold
	for _, r := range raw {
		_ = ob.Feed(r) // it is one of ours
	}
	list := make([]export.Inside, len(all))
	maker := c.Maker(names)
	for i, o := range all {
		holders.Explain(o)
		for k := range o.Waits {
			o.Waits[k].Parts = whoIsThere(o.Waits[k].Parts)
		}
		maker.Fill(&list[i].Row, o, nil)
		list[i].WaitNs.V = sumOf(o.Waits) // what came before is not looked for
		list[i].LookAtStack()
	}
	return list
}

// whoIsThere leaves only those who are inside, too: of the writes that have returned
// nothing is known here.
func whoIsThere(parts []observe.Part) (out []observe.Part) {
	for i := range parts {
		if parts[i].Cause != observe.CauseUnknown {
			out = append(out, parts[i])
		}
	}
	return out
}

func sumOf(waits []observe.Wait) (ns uint64) {
	for i := range waits {
		for k := range waits[i].Parts {
			ns += waits[i].Parts[k].Ns
		}
	}
	return ns
}

// InsideNow lists the writes that are in the kernel of c, and those that were queued and
// have not completed, as far as the trace has come. It may be called by any goroutine while
// c is there.
func (t *Trace) InsideNow(c *Capture) ([]export.Inside, error) {
	list, err := c.InsideNow(t.maker.Names, false)
	if err != nil {
		return nil, err
	}
	type entry struct {
		time uint64
		tid  uint32
	}
	known := make(map[entry]bool)
	for i := range list {
		known[entry{list[i].TimeNs, list[i].Tid}] = true
	}
	err = t.Order(func() error {
		t.judge.EachPending(func(o *observe.Observation) {
			if known[entry{o.Time, o.Tid}] {
				return
			}
			var in export.Inside
			maker := t.maker
			maker.Fill(&in.Row, o, nil)
			in.Row = in.Row.Clone()
			in.Row.Inside, in.InsideNs = export.Some(record.InsideIO), export.Some(clock.Monotonic()-o.Time)
			in.NoStack = export.NoThread
			list = append(list, in)
		})
		return nil
	})
	if errors.Is(err, ErrOver) {
		err = nil
	}
	return list, err
}

// lookAtStacks adds the stacks of the writes that had not returned at the end.
func (t *Trace) lookAtStacks() {
	list := t.Summary.Totals.Inside
	for i := range list {
		list[i].LookAtStack()
	}
}
