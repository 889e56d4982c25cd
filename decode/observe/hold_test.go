package observe

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// name is a kernel function as a record has it.
func name(of string) (fn [32]byte) {
	copy(fn[:], of)
	return fn
}

// TestHold: somebody else who held i_rwsem is told with what he did.
func TestHold(t *testing.T) {
	for _, c := range []struct {
		rec record.Hold
		op  string
	}{
		{record.Hold{Op: record.HoldRead}, "direct-read"},
		{record.Hold{Op: record.HoldBuffered}, "buffered-write"},
		{record.Hold{Op: record.HoldFallocate}, "fallocate"},
		{record.Hold{Op: record.HoldFallocate, Arg: 0x1}, "fallocate"},
		{record.Hold{Op: record.HoldFallocate, Arg: 0x3}, "fallocate:punch-hole"},
		{record.Hold{Op: record.HoldFallocate, Arg: 0x10}, "fallocate:zero-range"},
		{record.Hold{Op: record.HoldSetattr, Arg: 0x8 | 0x20}, "truncate"},
		{record.Hold{Op: record.HoldSetattr, Arg: 0x1}, "setattr"},
		{record.Hold{Func: [32]byte{'s', 'w', 'a', 'p'}}, "unknown:swap"},
		{record.Hold{Func: name("ext4_evict_inode [ext4]")}, "unknown:ext4_evict_inode"},
		{record.Hold{Func: name("__x64_sys_swapon")}, "swapon"},
		{record.Hold{Func: name("__do_sys_swapon")}, "swapon"},
		{record.Hold{Func: name("__arm64_sys_renameat2")}, "rename"},
		{record.Hold{Func: name("vfs_rename")}, "rename"},
		{record.Hold{Func: name("__x64_sys_io_uring_enter")}, "unknown:__x64_sys_io_uring_enter"},
		{record.Hold{Op: record.HoldFallocate, Func: name("vfs_rename")}, "fallocate"},
		{record.Hold{}, "unknown"},
		{record.Hold{Op: record.NumHoldOps}, "unknown"},
	} {
		c.rec.T0, c.rec.From, c.rec.To, c.rec.Lock = 10, 20, 30, record.LockShared
		c.rec.Tgid, c.rec.Tid, c.rec.NsTgid, c.rec.NsTid = 100, 101, 5, 6
		c.rec.Comm = [16]byte{'f', 'i', 'o'}
		ob := NewObserver(func(*Observation) { t.Error("a hold is no write") })
		var got *Hold
		ob.Held = func(h *Hold) { got = h }
		if err := ob.Feed(c.rec.Append(nil)); err != nil || got == nil {
			t.Fatal(got, err)
		}
		if got.Op != c.op || got.Comm != "fio" || got.Pid != 5 || got.Tid != 6 || got.Thread() != 101 ||
			got.Time != 10 || got.From != 20 || got.To != 30 || got.Mode != record.LockShared {
			t.Errorf("%+v: got %+v, want %s", c.rec, got, c.op)
		}
	}
}
