package tui

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// pair is a process that waited for i_rwsem of a file, and for whom.
type pair struct {
	pairKey
	path           string // of the file, raw; empty when not known
	waiter, holder string // names of the two, raw
	with           int    // at most so many held it shared together with the holder
	waits          uint64
	ns, max        uint64
}

// pairKey tells pairs apart.
type pairKey struct {
	others     bool // pairs that have no place of their own
	file       export.FileID
	process    export.ProcessNumber // that waited
	mode       record.Lock          // for which it waited
	cause      observe.Cause
	op         string // of the holder
	pid        uint32
	holderMode record.Lock
}

// waitPicture is what is known of the waits at one moment.
type waitPicture struct {
	pairs   []pair
	waits   uint64
	ns      uint64 // all of them
	byCause [observe.NumCauses]uint64
	unknown uint64 // writes of which it is not known whether they waited
}

// pairs counts the waits of rows.
type pairs struct {
	parts export.Parts[pairKey, pair]
	waitPicture
}

const maxPairs = 4096

func (t *pairs) add(r *export.Row) {
	if r.Inside.Known {
		return
	}
	if !r.WaitNs.Known {
		t.unknown++
		return
	}
	left := r.WaitNs.V
	for i := range r.Waits {
		w := &r.Waits[i]
		t.waits++
		for k := range w.Parts {
			p := &w.Parts[k]
			t.part(r, w, p)
			left -= min(left, p.Ns)
		}
	}
	t.ns += r.WaitNs.V
	if left > 0 {
		w := &observe.Wait{}
		if n := len(r.Waits); n > 0 {
			w = &r.Waits[n-1]
		}
		t.part(r, w, &observe.Part{Ns: left})
	}
}

func (t *pairs) part(r *export.Row, w *observe.Wait, p *observe.Part) {
	k := pairKey{
		file: r.File(), process: r.ProcessNumber(), mode: w.Lock,
		cause: p.Cause, op: p.Op, pid: p.Pid, holderMode: p.Mode,
	}
	t.parts.Most, t.parts.Rest.others = maxPairs, true
	e, isNew := t.parts.Of(k, r.Ino^uint64(p.Pid))
	if isNew {
		e.pairKey, e.waiter, e.holder = k, r.Comm, p.Comm
	}
	if r.Path != "" {
		e.path = r.Path
	}
	e.with = max(e.with, p.Others)
	e.waits++
	e.ns += p.Ns
	e.max = max(e.max, p.Ns)
	t.byCause[p.Cause] += p.Ns
}

func (t *pairs) picture() waitPicture {
	out := t.waitPicture
	out.pairs = make([]pair, 0, len(t.parts.List)+1)
	for _, e := range t.parts.List {
		out.pairs = append(out.pairs, *e)
	}
	if t.parts.Rest.waits > 0 {
		out.pairs = append(out.pairs, t.parts.Rest)
	}
	return out
}
