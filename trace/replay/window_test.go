package replay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// readRaws are all records of a trace, and what it says of itself and of their files.
func readRaws(t testing.TB, path string) (*tracefile.Info, [][]byte, *tracefile.Recording) {
	t.Helper()
	all, err := tracefile.OpenRecordings(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all[0].Close() })
	var raws [][]byte
	for {
		raw, err := all[0].Next()
		if err == record.ErrEnd {
			return all[0].Info(), raws, all[0]
		}
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, slices.Clone(raw))
	}
}

// openWindow opens the files of one recording.
func openWindow(paths []string, variant string) (*Window, error) {
	all, err := tracefile.OpenRecordings(paths...)
	if err != nil {
		return nil, err
	}
	return NewWindow(context.Background(), all[0], variant)
}

// rewrite makes files of records, with so many in a chunk, and so many chunks in a part.
func rewrite(t testing.TB, info tracefile.Info, raws [][]byte, names export.Names, inChunk, inPart int) []string {
	t.Helper()
	var paths []string
	create := func() *os.File {
		f, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("part%d.e4d", len(paths))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		paths = append(paths, f.Name())
		return f
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	info.ID, info.Part = "rewritten", 0
	w, err := tracefile.NewWriter(create(), &info)
	check(err)
	var l record.Losses
	named := map[record.NameID]bool{}
	for i, raw := range raws {
		if id, ok := record.FileOf(raw); ok && !named[id] {
			named[id] = true
			w.Name(id, names.Path(id))
		}
		if kind, _, _ := record.KindOf(raw); kind == record.KindWrite {
			l.Seen++
		}
		check(w.Append(raw, &l))
		if i%inChunk == inChunk-1 {
			check(w.Flush(&l))
		}
		if i%(inChunk*inPart) == inChunk*inPart-1 {
			w, err = w.Next(create(), &info, &l)
			check(err)
		}
	}
	check(w.Close(&l))
	return paths
}

// passed are the rows of a pass over all of a recording, as JSON.
func passed(t testing.TB, paths []string, variant string) (rows []string, times []uint64) {
	t.Helper()
	all, err := tracefile.OpenRecordings(paths...)
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	defer all[0].Close()
	if _, err := Judge(context.Background(), all[0], variant, func(k *session.Kernel) session.Seen {
		maker, row := k.Maker(all[0]), export.Row{}
		return func(o *observe.Observation, v *judge.Verdict) {
			maker.Fill(&row, o, v)
			rows, times = append(rows, asText(&row)), append(times, row.TimeNs)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return rows, times
}

// asText is all of a row.
func asText(r *export.Row) string {
	return string(r.AppendJSON(nil)) + fmt.Sprint(r.Waits, r.SubmitNs, r.Missing, r.Facts)
}

func compareRows(t *testing.T, what string, got []export.Row, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range got {
		if text := asText(&got[i]); text != want[i] {
			t.Fatalf("%s: row %d is\n%s\nwant\n%s", what, i, text, want[i])
		}
	}
}

// rowsFrom are n rows of a window from a number on.
func rowsFrom(t testing.TB, w *Window, number uint64, n int) (rows []export.Row) {
	t.Helper()
	if err := w.Each(number, n, func(r *export.Row) bool {
		rows = append(rows, r.Clone())
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

// compareWindow looks at many places of a recording.
func compareWindow(t *testing.T, paths []string, variant string, step int) {
	t.Helper()
	rows, times := passed(t, paths, variant)
	w, err := openWindow(paths, variant)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if w.Writes() != uint64(len(rows)) {
		t.Fatalf("%d writes, want %d", w.Writes(), len(rows))
	}
	for at := 0; at < len(rows); at += step {
		for _, n := range []int{1, 7, 60} {
			got := rowsFrom(t, w, uint64(at+1), n)
			compareRows(t, fmt.Sprintf("%d from write %d", n, at+1), got, rows[at:min(at+n, len(rows))])
		}
		first, err := w.NumberAt(times[at])
		want := slices.IndexFunc(times, func(t uint64) bool { return t >= times[at] })
		if err != nil || first != uint64(want+1) {
			t.Fatalf("from time %d: first %d, want %d: %v", times[at], first, want+1, err)
		}
	}
	for _, number := range []uint64{uint64(len(rows)) + 1, 1 << 60} {
		if got := rowsFrom(t, w, number, 5); len(got) > 0 {
			t.Errorf("behind the end: %d rows", len(got))
		}
	}
	if first, err := w.NumberAt(slices.Max(times) + 1); err != nil || first != w.Writes()+1 {
		t.Errorf("after the end: first %d, %v", first, err)
	}
	if w.slowly > 0 && !w.table.broken {
		t.Errorf("it was judged from the beginning %d times", w.slowly)
	}
}

func testTraces(t testing.TB) []string {
	paths, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(paths) < 10 {
		t.Fatal(paths, err)
	}
	if testing.Short() {
		return paths[:1]
	}
	return paths
}

// Any part of a recording is shown as a pass over all of it does, however small its chunks
// are.
func TestWindow(t *testing.T) {
	for _, path := range testTraces(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			info, raws, names := readRaws(t, path)
			compareWindow(t, []string{path}, "auto", 17)
			for _, inChunk := range []int{1, 4, 17} {
				compareWindow(t, rewrite(t, *info, raws, names, inChunk, 1<<20), "auto", 7)
			}
			compareWindow(t, rewrite(t, *info, raws, names, 5, 4), "auto", 17)
			compareWindow(t, rewrite(t, *info, raws, names, 5, 4), "linux-6.12", 23)
		})
	}
}

// Records may be missing, and queued writes may have no end or end before their record
// comes: at the end of the recording, and all along it.
func TestWindowLossy(t *testing.T) {
	for i, path := range testTraces(t) {
		info, raws, names := readRaws(t, path)
		r := rand.New(rand.NewPCG(7, uint64(i)))
		raws = slices.DeleteFunc(raws, func([]byte) bool { return r.IntN(20) == 0 })
		for range len(raws) {
			j := r.IntN(len(raws) - 30)
			k := j + r.IntN(30)
			raws[j], raws[k] = raws[k], raws[j]
		}
		compareWindow(t, rewrite(t, *info, raws, names, 6, 9), "auto", 7)
	}
}

// A broken stream, in which ids come again before their write has ended, is judged from
// its beginning.
func TestWindowBroken(t *testing.T) {
	info, raws, names := readRaws(t, "../../testdata/traces/linux-7.3.e4d")
	twice := append(slices.Clone(raws[:len(raws)/2]), raws...)
	kept := slices.DeleteFunc(twice, func(raw []byte) bool { kind, _, _ := record.KindOf(raw); return kind == record.KindComplete })
	compareWindow(t, rewrite(t, *info, kept, names, 6, 9), "auto", 40)
	w, err := openWindow(rewrite(t, *info, kept, names, 6, 9), "auto")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if !w.table.broken {
		t.Error("the stream is not broken: this tests nothing")
	}
}

// A write is judged together with those that were in flight beside it, wherever their
// records lie, and by what any write before has told of the kernel.
func TestWindowTogether(t *testing.T) {
	info, raws, names := readRaws(t, "../../testdata/traces/linux-6.12.e4d")
	var zeroing, plain record.Write
	last := uint64(0)
	for _, raw := range raws {
		last = max(last, cameAt(raw))
		var w record.Write
		if record.ParseWrite(raw, &w) != nil || w.Ret < 4096 {
			continue
		}
		if w.Lock == record.LockExclusive && w.Stages.Has(record.StageZero|record.StageDrain) {
			zeroing = w
		} else if w.Lock == record.LockShared && w.KiFlags&kiNowaitBit == 0 {
			plain = w
		}
	}
	id := uint64(1 << 40)
	add := func(w record.Write, began, ns uint64) uint64 {
		id++
		w.ID, w.T0, w.Latency = id, began, ns
		raws = append(raws, w.Append(nil))
		return id
	}
	fill := func(from, to uint64) {
		for i := range uint64(40) {
			add(plain, from+i*(to-from)/40, (to-from)/40)
		}
	}
	const ms = 1_000_000
	base := last + ms
	// A buffered fallback that drains, and long after it one that does not.
	add(fallback(plain, true), base, ms)
	fill(base+ms, base+20*ms)
	add(fallback(plain, false), base+20*ms, ms)
	// A write that is queued before and ends after another has zeroed in the same block,
	// which ends much later.
	base += 30 * ms
	other := zeroing
	other.Ret = -529
	otherID := add(other, base, ms)
	fill(base+ms, base+20*ms)
	zeroedAt := base + 21*ms
	for i := range zeroing.NSteps {
		if s := &zeroing.Steps[i]; s.Kind == record.StepZero {
			s.C, zeroedAt = 2, base+20*ms+uint64(s.TUs)*1000
		}
	}
	ended := record.Complete{ID: otherID, T: zeroedAt + 100_000, Ret: int64(zeroing.Len0)}
	raws = append(raws, ended.Append(nil))
	fill(ended.T, ended.T+300*ms)
	add(zeroing, base+20*ms, 400*ms)
	fill(base+420*ms, base+430*ms)

	paths := rewrite(t, *info, raws, names, 4, 1<<20)
	rows, _ := passed(t, paths, "auto")
	if all := strings.Join(rows, ""); strings.Count(all, "overlap in the block") != 1 || !strings.Contains(all, "drain before the buffered copy: observed not called") {
		t.Fatal("no write was judged together with another: this tests nothing")
	}
	compareWindow(t, paths, "auto", 1)
}

const kiNowaitBit = 0x8

// fallback makes a write one that ends in the page cache.
func fallback(w record.Write, drains bool) record.Write {
	add := func(stage record.Stages, s record.Step) {
		w.Stages |= stage
		s.TUs = w.Steps[w.NSteps-1].TUs
		w.Steps[w.NSteps] = s
		w.NSteps++
	}
	const enotblk = 15
	errno := -int32(enotblk)
	add(0, record.Step{Kind: record.StepMap, Aux: record.MapFailed, A: uint64(uint32(errno))})
	add(record.StageBuffered, record.Step{Kind: record.StepBuffered, A: w.Pos0, C: w.Len0})
	if drains {
		add(0, record.Step{Kind: record.StepDrain, Aux: record.DrainBuffered})
	}
	add(record.StageCopy, record.Step{Kind: record.StepCopy, Lock: record.LockExclusive, A: w.Pos0})
	return w
}

// long is a recording of many chunks.
func long(t testing.TB, writes int) []string {
	info, raws, names := readRaws(t, "../../testdata/traces/patch4.e4d")
	return rewrite(t, *info, tracetest.Repeated(raws, writes), names, 4096, 1<<20)
}

func TestWindowLong(t *testing.T) {
	compareWindow(t, long(t, 30_000), "auto", 4000)
}

// BenchmarkWindow shows 50 writes of the last tenth of recordings, one ten times as long
// as the other: both cost the same.
func BenchmarkWindow(b *testing.B) {
	for _, writes := range []int{40_000, 400_000} {
		b.Run(fmt.Sprint(writes), func(b *testing.B) {
			w, err := openWindow(long(b, writes), "auto")
			if err != nil {
				b.Fatal(err)
			}
			defer w.Close()
			for b.Loop() {
				if rows := rowsFrom(b, w, w.Writes()*9/10, 50); len(rows) != 50 {
					b.Fatal(len(rows))
				}
			}
		})
	}
}
