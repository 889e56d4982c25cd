package tally

import (
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// waited is a write to an inode that waited for each of the parts.
func waited(ino uint64, path string, parts ...observe.Part) export.Row {
	r := row(ino, export.Exclusive, "extending")
	r.Path, r.Comm, r.WaitNs = path, "mysqld", export.Some[uint64](0)
	r.Waits = []observe.Wait{{Lock: record.LockExclusive, Parts: parts}}
	for i := range parts {
		r.Waits[0].Ns += parts[i].Ns
	}
	r.WaitNs.V = r.Waits[0].Ns
	return r
}

// Pairs are of one file each, have the name that it has, and add up to all that was waited;
// a write of which it is not known whether it waited is counted, and not as one that did not.
func TestWaited(t *testing.T) {
	read := observe.Part{Ns: 10, Cause: observe.CauseHeld, Mode: record.LockShared, Actor: observe.Actor{Op: "direct-read", Comm: "fio", Pid: 5}}
	several := read
	several.Ns, several.Others, several.Pid = 30, 2, 6
	unknown := row(7, export.Shared, "")
	unknown.WaitNs = export.Opt[uint64]{}
	tl := New(false)
	for _, r := range []export.Row{
		waited(7, "", read), waited(7, "/new", several, observe.Part{Ns: 3}), waited(8, "/other", read), unknown,
	} {
		tl.Add(&r)
	}
	w := tl.Picture(time.Second).Waited
	if w.Times != 3 || w.Ns != 53 || w.Unknown != 3 || w.Unseen != 1 || !w.Holders || len(w.Pairs) != 3 {
		t.Fatalf("%+v", w)
	}
	p := &w.Pairs[0]
	if p.Path != "/new" || p.File.Ino != 7 || p.Waits != 2 || p.Ns != 40 || p.Max != 30 || p.With != 2 || p.One != 5 || p.Pid != 0 || p.Process.Pid != 7 {
		t.Errorf("%+v", *p)
	}
	if p := &w.Pairs[1]; p.Path != "/other" || p.Pid != 5 || p.With != 0 {
		t.Errorf("%+v", *p)
	}
	if p := &w.Pairs[2]; p.Op != "" || p.Ns != 3 {
		t.Errorf("%+v", *p)
	}
	r := waited(7, "/new", read)
	r.Pid = 99
	tl.Add(&r)
	if p := &tl.Picture(time.Second).Waited.Pairs[0]; p.Process.Pid != 0 || p.Waits != 3 {
		t.Errorf("two processes of a name: %+v", *p)
	}
	if w.Pairs[0].Waits != 2 {
		t.Error("a picture changes")
	}
}

// BenchmarkWaited is what each tenth of a second costs with as many pairs as are kept.
func BenchmarkWaited(b *testing.B) {
	tl := New(false)
	for i := range uint64(5000) {
		r := waited(i, "/x", observe.Part{Ns: 10 + i*7919%1000, Cause: observe.CauseHeld, Actor: observe.Actor{Op: "direct-read", Comm: "fio", Pid: 5}})
		tl.Add(&r)
	}
	b.ReportAllocs()
	for b.Loop() {
		tl.waited()
	}
}
