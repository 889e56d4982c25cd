package observe

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Hold is one time that somebody held i_rwsem of a file who made no write that is recorded.
type Hold struct {
	Actor
	Kind       record.HoldOp
	Dev        uint32 // kernel's dev_t: major<<20 | minor
	Ino        uint64
	Generation uint32
	Mode       record.Lock
	Flags      uint16 // record.Holder*

	Time     uint64 // entry of its function, ns of CLOCK_MONOTONIC
	From, To uint64 // it had the lock then
	QueuedNs uint64 // queued for it before
	// DrainAt is the entry of inode_dio_wait with so many requests in flight; 0 when there
	// were none.
	DrainAt, DrainNs uint64
	DrainCount       uint32

	Arg      uint32 // see record.HoldOp
	Pos, Len int64
	Func     string // kernel function of a holder of an unknown kind; empty when that is not known

	GlobalTid uint32 // as of an Observation

	// DrainWrites is how many recorded writes were in flight at DrainAt, and DrainedFor names
	// some of them. Who remembers writes fills it in.
	DrainWrites int
	DrainedFor  []Actor
}

// Got reports whether it had the lock at all.
func (h *Hold) Got() bool { return h.To > h.From }

// File names the file.
func (h *Hold) File() record.NameID {
	return record.NameID{FileID: record.FileID{Dev: h.Dev, Ino: h.Ino, Generation: h.Generation}}
}

// Thread is as that of an Observation.
func (h *Hold) Thread() uint32 { return cmp.Or(h.GlobalTid, h.Tid) }

// Bound reports whether it was not seen when it took the lock, or when it let go of it. No
// function is known at whose return an unknown operation has.
func (h *Hold) Bound() bool {
	return h.Kind == record.HoldUnknown || h.Flags&(record.HolderWide|record.HolderOwner|record.HolderInside|record.HolderBefore) != 0
}

// Inside reports whether it was not over when tracing ended.
func (h *Hold) Inside() bool { return h.Flags&record.HolderInside != 0 }

// fill takes up a record.
func (h *Hold) fill(r *record.Hold, comm string) {
	fn, _, _ := bytes.Cut(r.Func[:], []byte{0})
	fn, _, _ = bytes.Cut(fn, []byte{' '}) // its module stands behind it
	*h = Hold{
		Actor: Actor{Comm: comm, Pid: r.Tgid, Tid: r.Tid},
		Kind:  r.Op, Dev: r.Dev, Ino: r.Ino, Generation: r.Generation, Mode: r.Lock, Flags: r.Flags,
		Time: r.T0, From: r.From, To: r.To, QueuedNs: r.QueuedNs,
		DrainAt: r.DrainT, DrainNs: r.DrainNs, DrainCount: r.DrainCount,
		Arg: r.Arg, Pos: int64(r.Pos), Len: int64(r.Len), Func: string(fn),
	}
	if r.NsTgid != 0 && r.NsTgid != record.PidHidden {
		h.Pid, h.Tid, h.GlobalTid = r.NsTgid, r.NsTid, r.Tid
	}
	h.Op = h.op()
}

// op says what it does, in a word or two.
func (h *Hold) op() string {
	switch {
	case h.Kind == record.HoldFallocate:
		return fallocateOp(h.Arg)
	case h.Kind == record.HoldSetattr && h.Arg&attrSize != 0:
		return "truncate"
	case h.Kind == record.HoldUnknown && h.Func != "":
		return cmp.Or(callOps[callOf(h.Func)], "unknown:"+h.Func)
	}
	return h.Kind.String()
}

// callOps are the ops that no probe sees, by the system call that one is in who owns the lock.
var callOps = map[string]string{
	"swapon": "swapon", "rename": "rename", "renameat": "rename", "renameat2": "rename",
}

// callOf is the system call of which fn is the function; empty when it is another function.
func callOf(fn string) string {
	if fn == "vfs_rename" { // of all three; nobody else but file servers of the kernel calls it
		return "rename"
	}
	for _, prefix := range []string{"__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_"} {
		if name, ok := strings.CutPrefix(fn, prefix); ok {
			return name
		}
	}
	return ""
}

// Bits of what the kernel's functions are called with.
const (
	attrSize          = 1 << 3 // ATTR_SIZE
	fallocPunchHole   = 1 << 1 // FALLOC_FL_PUNCH_HOLE
	fallocCollapse    = 1 << 3 // FALLOC_FL_COLLAPSE_RANGE
	fallocZeroRange   = 1 << 4 // FALLOC_FL_ZERO_RANGE
	fallocInsertRange = 1 << 5 // FALLOC_FL_INSERT_RANGE
)

// fallocateOp is the op of fallocate(2) with a mode.
func fallocateOp(mode uint32) string {
	for _, m := range []struct {
		bit  uint32
		name string
	}{
		{fallocPunchHole, "punch-hole"}, {fallocZeroRange, "zero-range"},
		{fallocCollapse, "collapse-range"}, {fallocInsertRange, "insert-range"},
	} {
		if mode&m.bit != 0 {
			return "fallocate:" + m.name
		}
	}
	return "fallocate"
}
