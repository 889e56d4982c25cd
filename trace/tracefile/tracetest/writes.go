// Package tracetest makes records for tests: single writes, and long traces out of short
// ones.
package tracetest

import (
	"bytes"
	"encoding/binary"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Repeated are the records of a trace so often that they are n at least, each round
// 5 seconds later and with other ids.
func Repeated(raws [][]byte, n int) [][]byte {
	le := binary.LittleEndian
	var out [][]byte
	for round := uint64(0); len(out) < n; round++ {
		for _, raw := range raws {
			c := bytes.Clone(raw)
			id, at := record.AtID, record.AtT0
			if kind, _, _ := record.KindOf(c); kind == record.KindComplete {
				id, at = record.AtDoneID, record.AtDoneT
			}
			le.PutUint64(c[id:], le.Uint64(c[id:])+round<<20)
			le.PutUint64(c[at:], le.Uint64(c[at:])+round*5e9)
			out = append(out, c)
		}
	}
	return out
}

// SharedWrite is a complete record of an aligned overwrite inside i_size as 7.3
// makes it: one pass, shared, no lookup.
func SharedWrite(id uint64) *record.Write {
	w := &record.Write{
		Stages: record.StageEntry | record.StagePass | record.StageFmod | record.StageDIO | record.StageBegin |
			record.StageReturn | record.StageAlign | record.StageLock,
		T0: 1000 + id, Latency: 50_000, ID: id, Ino: 14, Pos0: 4096, ISize0: 1 << 20, Tgid: 1, Tid: 1, Comm: [16]byte{'f', 'i', 'o'},
		Dev: 8 << 20, KiFlags: 1<<17 | 1<<18, Len0: 4096, Ret: 4096, Passes: 1, Blkbits: 12, Caller: record.CallerSync,
		Lock: record.LockShared, DioOps: record.OpsIomap, Fmod: record.FmodKiocb, NSteps: 2,
	}
	w.Steps[0] = record.Step{
		Kind: record.StepPass, Lock: record.LockShared, Aux: record.PassNosec | record.PassExtents | record.PassAlign,
		A: 4096, B: 1 << 20, C: 4096, D: 4096,
	}
	w.Steps[1] = record.Step{Kind: record.StepMap, A: 4096, B: 4096, C: 2}
	return w
}

// SharedWrites are n such writes to one file, each at another place.
func SharedWrites(n int) [][]byte {
	var out [][]byte
	for i := range n {
		w := SharedWrite(uint64(i))
		at := uint64(i) * 4096
		w.Pos0, w.ISize0 = at, 1<<40
		w.Steps[0].A, w.Steps[0].B, w.Steps[1].A = at, 1<<40, at
		out = append(out, w.Append(nil))
	}
	return out
}

// Source is a kernel that makes N shared writes and ends when it is stopped, but not
// before it has made them.
type Source struct {
	N      int
	Change func(i int, w *record.Write) // changes a write before it is handed out; nil: none
	Lost   record.Losses
	Fail   error // instead of the end

	next    int
	stopped bool
	raw     []byte
}

// Next implements record.Source.
func (s *Source) Next() ([]byte, error) {
	if s.next >= s.N {
		switch {
		case s.Fail != nil:
			return nil, s.Fail
		case s.stopped:
			return nil, record.ErrEnd
		}
		return nil, record.ErrIdle
	}
	w := SharedWrite(uint64(s.next))
	if s.Change != nil {
		s.Change(s.next, w)
	}
	s.next++
	s.raw = w.Append(s.raw[:0])
	return s.raw, nil
}

// Losses implements record.Source.
func (s *Source) Losses() (record.Losses, error) { return s.Lost, nil }

// Stop ends it.
func (s *Source) Stop() error {
	s.stopped = true
	return nil
}
