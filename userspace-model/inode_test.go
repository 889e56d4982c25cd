package model

import (
	"reflect"
	"strings"
	"testing"
)

// TestNewInode: the usual state of an inode.
func TestNewInode(t *testing.T) {
	blocks := Extents{{2, Written, false}}
	want := Inode{
		Blkbits: 12, ISize: 5000, IDisksize: 5000, ISizeAtGuess: 5000, Extents: blocks, Nosec: true,
		Direct: DirectFacts{Verity: No, Journal: No, Inline: No, Encrypt: No, InlineCrypt: No},
	}
	if in := NewInode(12, 5000, blocks); !reflect.DeepEqual(*in, want) {
		t.Errorf("%+v, want %+v", *in, want)
	}
}

// TestInodeCheck: facts of an inode at both sides of each limit.
func TestInodeCheck(t *testing.T) {
	tests := []struct {
		name string
		set  func(*Inode)
		want string
	}{
		{"nothing odd", func(*Inode) {}, ""},
		{"blocks of 512", func(in *Inode) { in.Blkbits = 9 }, "a block size that ext4 does not have"},
		{"blocks of 1 KiB", func(in *Inode) { in.Blkbits = 10 }, ""},
		{"blocks of 64 KiB", func(in *Inode) { in.Blkbits = 16 }, ""},
		{"blocks of 128 KiB", func(in *Inode) { in.Blkbits = 17 }, "a block size that ext4 does not have"},
		{"empty", func(in *Inode) { in.ISize, in.IDisksize, in.ISizeAtGuess = 0, 0, 0 }, ""},
		{"i_size", func(in *Inode) { in.ISize, in.IDisksize = -1, -1 }, "a negative i_size"},
		{"i_size at the guess", func(in *Inode) { in.ISizeAtGuess = -1 }, "a negative i_size"},
		{"i_disksize", func(in *Inode) { in.IDisksize = -1 }, "a negative i_disksize"},
		{"i_disksize 0", func(in *Inode) { in.IDisksize = 0 }, ""},
		{"i_disksize beyond i_size", func(in *Inode) { in.IDisksize = 8193 }, "i_disksize beyond i_size"},
		{"a block map", func(in *Inode) { in.Indirect = true }, ""},
		{"inline data", func(in *Inode) { in.Direct.Inline = Yes }, ""},
		{"inline data in a block map", func(in *Inode) { in.Indirect, in.Direct.Inline = true, Yes }, "inline data and block map in one inode"},
		{"unwritten in a block map", func(in *Inode) { in.Indirect, in.Extents[0].State = true, Unwritten }, "unwritten blocks"},
	}
	for _, tt := range tests {
		in := NewInode(12, 8192, Extents{{2, Written, false}})
		tt.set(in)
		err := in.check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

// TestWriteChecks is ext4_generic_write_checks in its order: position, and bytes left
// or an error (docs/kernel.md#generic-checks).
func TestWriteChecks(t *testing.T) {
	tests := []struct {
		name      string
		w         Write
		n         int64
		indirect  bool
		limits    Limits
		pos, left int64
	}{
		{"no limit", Write{Pos: 512}, 1024, false, Limits{}, 512, 1024},
		{"immutable, nothing to write", Write{Pos: 512}, 0, false, Limits{Immutable: true, Swapfile: true}, 512, -eperm},
		{"swap file, nothing to write", Write{Pos: 512}, 0, false, Limits{Swapfile: true}, 512, -etxtbsy},
		{"nothing to append", Write{Pos: 512, Flags: IocbAppend}, 0, false, Limits{}, 512, 0},
		{"append", Write{Pos: 512, Flags: IocbAppend | IocbNowait}, 1024, false, Limits{}, 8192, 1024},
		{"append at the limit", Write{Pos: 512, Flags: IocbAppend}, 1024, false, Limits{Fsize: 8192}, 8192, -efbig},
		{"up to RLIMIT_FSIZE", Write{Pos: 512}, 1024, false, Limits{Fsize: 1536}, 512, 1024},
		{"cut by one byte", Write{Pos: 512}, 1024, false, Limits{Fsize: 1535}, 512, 1023},
		{"one byte below the limit", Write{Pos: 512}, 1024, false, Limits{Fsize: 513}, 512, 1},
		{"at the limit", Write{Pos: 512}, 1024, false, Limits{Fsize: 512}, 512, -efbig},
		{"s_maxbytes cuts", Write{Pos: 512}, 1024, false, Limits{MaxBytes: 600}, 512, 88},
		{"the lower limit cuts", Write{Pos: 512}, 1024, false, Limits{Fsize: 700, MaxBytes: 600}, 512, 88},
		{"the lower limit cuts", Write{Pos: 512}, 1024, false, Limits{Fsize: 600, MaxBytes: 700}, 512, 88},
		{"s_bitmap_maxbytes, extents", Write{Pos: 512}, 1024, false, Limits{BitmapBytes: 600}, 512, 1024},
		{"s_bitmap_maxbytes, block map", Write{Pos: 512}, 1024, true, Limits{BitmapBytes: 600}, 512, 88},
		{"behind s_bitmap_maxbytes", Write{Pos: 512}, 1024, true, Limits{BitmapBytes: 512}, 512, -efbig},
	}
	for _, tt := range tests {
		in := NewInode(12, 8192, nil)
		in.Indirect, in.Limits = tt.indirect, tt.limits
		if pos, left := in.writeChecks(&tt.w, tt.n); pos != tt.pos || left != tt.left {
			t.Errorf("%s: %d bytes at %d, want %d at %d", tt.name, left, pos, tt.left, tt.pos)
		}
	}
}

// TestWriteAsCalled: a write and an inode as ext4_file_write_iter finds them, and
// what the layout answers.
func TestWriteAsCalled(t *testing.T) {
	in := NewInode(12, 8192, Extents{{2, Written, false}})
	in.ISizeAtGuess = 4096
	w := Write{Pos: 512, Len: 3072, Buffer: 1 << 8, Flags: IocbNowait, Async: true}
	want := Call{Pos: 512, Len: 3072, Align: Alignment{3072 | 1<<8, true}, ISize: 4096, Flags: IocbNowait, Blkbits: 12, Async: Yes}
	if got := w.call(in); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	w.Async = false
	if got := w.call(in); got.Async != No {
		t.Errorf("synchronous: %s", got.Async)
	}
	if got := w.align(0); got != (Alignment{0, true}) {
		t.Errorf("alignment of nothing: %+v", got)
	}
	if got := w.align(1); got != (Alignment{1<<8 | 1, true}) {
		t.Errorf("alignment of one byte: %+v", got)
	}
	for _, tt := range []struct {
		v             Variant
		stale, nowait bool
		want          int
	}{
		{Linux73, true, true, EAGAIN},
		{Linux73, false, true, 0},
		{Linux73, true, false, 0},
		{Linux72, true, true, 0},
	} {
		c := Call{}
		if tt.nowait {
			c.Flags = IocbNowait
		}
		l := layout{in: &Inode{Stale: tt.stale}, w: &w, v: tt.v, call: &c}
		if got, ok := l.Modified(); got != tt.want || !ok {
			t.Errorf("%+v: timestamps %d, %v", tt, got, ok)
		}
	}
	for _, busy := range []bool{false, true} {
		l := layout{in: &Inode{Busy: busy}}
		if got := l.Trylock(Shared); got != AnswerOf(!busy) {
			t.Errorf("busy %v: trylock %s", busy, got)
		}
	}
}

// TestChecksOfLayout: a limit cuts the iov_iter for good, so that a second pass sees
// the rest; an error leaves it whole.
func TestChecksOfLayout(t *testing.T) {
	in := NewInode(12, 8192, nil)
	in.IDisksize, in.Limits.Fsize = 4096, 1536
	w := Write{Pos: 512, Len: 4096, Buffer: 256}
	l := layout{in: in, w: &w, v: Linux73, left: w.Len}
	want := Checks{Pos: 512, Count: 1024, ISize: 8192, IDisksize: 4096, Align: Alignment{1024 | 256, true}, Nosec: true}
	for range 2 {
		if got, ok := l.Checks(0); got != want || !ok || l.left != 1024 {
			t.Errorf("%+v, %v, %d left; want %+v", got, ok, l.left, want)
		}
	}
	in.Limits.Fsize = 512
	want.Count = -efbig
	if got, ok := l.Checks(1); got != want || !ok || l.left != 1024 {
		t.Errorf("refused: %+v, %v, %d left; want %+v", got, ok, l.left, want)
	}
	if got, ok := l.Lookup(0, Query{0, 2, 0}); got != (Result{}) || !ok {
		t.Errorf("lookup of a hole: %+v, %v", got, ok)
	}
}
