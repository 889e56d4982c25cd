package tracefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// sample makes records as a mixed workload gives them: two threads, four files, two
// CPUs, restarts with lookups and zeroing, completions, refusals.
func sample(n int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var out [][]byte
	t := uint64(1e12)
	seq := [2]uint64{}
	for i := range n {
		t += rnd.Uint64N(40000)
		cpu := rnd.IntN(2)
		w := record.Write{
			Stages: 0x8c33, T0: t, Latency: 20000 + rnd.Uint64N(1<<18), ID: uint64(cpu)<<48 | seq[cpu],
			Ino: 12 + rnd.Uint64N(4), Pos0: uint64(i) * 8192, ISize0: 32 << 20, Tgid: 700, Tid: 700 + uint32(rnd.IntN(4)),
			Dev: 8 << 20, KiFlags: 1 << 17, Len0: 8192, Ret: 8192, DioUs: 5 + uint32(rnd.IntN(5)), Passes: 1, Blkbits: 12,
			Caller: 1, IterType: 0, Lock: 1, DioOps: 1, Fmod: 2,
		}
		copy(w.Comm[:], "fio")
		seq[cpu]++
		w.NSteps = 2
		w.Steps[0] = record.Step{Kind: record.StepPass, Lock: 1, Aux: 15, TUs: 3, A: w.Pos0, B: w.ISize0, C: w.Len0}
		w.Steps[1] = record.Step{Kind: record.StepMap, TUs: 8, A: w.Pos0, B: 8192, C: 2}
		if i%7 == 0 {
			w.Len0, w.Ret = 512, -11
			w.Steps[2] = record.Step{Kind: record.StepZero, Lock: 2, TUs: 9, A: w.Pos0, B: 512, C: 1}
			w.NSteps = 3
		}
		out = append(out, w.Append(nil))
		if i%5 == 0 {
			c := record.Complete{ID: w.ID, T: t + 100000, Ret: 8192}
			out = append(out, c.Append(nil))
		}
	}
	return out
}

// noise makes records of which no field has anything to do with another.
func noise(n int) [][]byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	var out [][]byte
	for range n {
		head, steps := record.FirstHead+rnd.IntN(9)*wordSize, rnd.IntN(record.MaxSteps+1)
		raw := make([]byte, head+steps*record.StepSize)
		for i := range raw {
			raw[i] = byte(rnd.Uint32())
		}
		le := binary.LittleEndian
		le.PutUint16(raw[record.AtKind:], uint16(record.KindWrite))
		le.PutUint16(raw[record.AtSize:], uint16(len(raw)))
		le.PutUint16(raw[record.AtHead:], uint16(head))
		raw[record.AtNSteps] = byte(steps)
		raw[record.AtPos0+7] &= 0x3f // half of them too large for the columns
		out = append(out, raw)
	}
	return out
}

// written is a file of these records.
func written(t testing.TB, recs [][]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{ID: "a", Release: "7.3"})
	if err != nil {
		t.Fatal(err)
	}
	var l record.Losses
	for i, r := range recs {
		l.Seen = uint64(i)
		if err := w.Append(r, &l); err != nil {
			t.Fatal(err)
		}
	}
	l.LostRing = 7
	if err := w.Close(&l); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// nameOf is the last name of an inode of no generation.
func nameOf(dev uint32, ino uint64) record.NameID {
	return record.NameID{FileID: record.FileID{Dev: dev, Ino: ino}}
}

// inChunks is a file of a few small chunks, with a name before each, and the number of
// records up to the end of each.
func inChunks(t testing.TB, recs [][]byte, each int) (file []byte, ends []int) {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range recs {
		if i%each == 0 {
			w.Name(nameOf(8<<20, uint64(i)), "/some/file")
		}
		if err := w.Append(r, &record.Losses{}); err != nil {
			t.Fatal(err)
		}
		if (i+1)%each == 0 || i == len(recs)-1 {
			if err := w.Flush(&record.Losses{}); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, buf.Len())
		}
	}
	if err := w.Close(&record.Losses{}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), ends
}

// readAll reads all records and what is missing.
func readAll(t testing.TB, r *Reader) ([][]byte, *Missing) {
	t.Helper()
	var out [][]byte
	for {
		raw, err := r.Next()
		if errors.Is(err, record.ErrEnd) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, bytes.Clone(raw))
	}
	err := r.Missing()
	var m *Missing
	if err != nil && (!errors.As(err, &m) || !errors.Is(err, ErrFormat)) {
		t.Fatalf("missing is %T: %v", err, err)
	}
	return out, m
}
