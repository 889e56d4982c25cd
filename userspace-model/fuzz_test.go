package model

import (
	"encoding/binary"
	"errors"
	"testing"
)

// rawFacts reads facts from raw bytes; behind their end all is 0.
type rawFacts struct{ left []byte }

func (f *rawFacts) u8() byte {
	if len(f.left) == 0 {
		return 0
	}
	b := f.left[0]
	f.left = f.left[1:]
	return b
}

func (f *rawFacts) i64() int64 {
	var raw [8]byte
	f.left = f.left[copy(raw[:], f.left):]
	return int64(binary.LittleEndian.Uint64(raw[:]))
}

// bytes is a number of bytes: mostly one that a small file has, sometimes any.
func (f *rawFacts) bytes() int64 {
	switch how := f.u8(); how % 8 {
	case 7:
		return f.i64()
	case 6:
		return int64(int8(f.u8())) // negative ones, too
	default:
		return int64(f.u8()) << (9 + how%8)
	}
}

func (f *rawFacts) bit(bits byte, n int) bool { return bits>>n&1 != 0 }

func (f *rawFacts) write() *Write {
	w := &Write{Pos: f.bytes(), Len: f.bytes(), Buffer: uint32(f.u8()) << 9}
	bits := f.u8()
	for n, flag := range []uint32{IocbNowait, IocbAppend, IocbAtomic} {
		if f.bit(bits, n) {
			w.Flags |= flag
		}
	}
	w.Async = f.bit(bits, 3)
	return w
}

func (f *rawFacts) inode() *Inode {
	in := NewInode(f.u8()%18, f.bytes(), nil)
	a, b, c := f.u8(), f.u8(), f.u8()
	if f.bit(a, 0) {
		in.IDisksize = f.bytes()
	}
	if f.bit(a, 1) {
		in.ISizeAtGuess = f.bytes()
	}
	in.Cache, in.Indirect, in.Nosec = Cache(a>>2&1), f.bit(a, 3), !f.bit(a, 4)
	in.DAX, in.Busy, in.Stale = f.bit(a, 5), f.bit(a, 6), f.bit(a, 7)
	in.Cached, in.InvalidateFails = f.bit(b, 0), f.bit(b, 1)
	in.Shutdown, in.EmergencyRO = f.bit(b, 2) && f.bit(b, 3), f.bit(b, 4)
	in.Limits.Immutable, in.Limits.Swapfile = f.bit(b, 5) && f.bit(b, 6), f.bit(b, 7)
	d := &in.Direct
	for n, fact := range []*Answer{&d.Verity, &d.Journal, &d.Inline, &d.Encrypt} {
		*fact = AnswerOf(c>>(2*n)&3 == 3)
	}
	d.InlineCrypt = AnswerOf(f.bit(c, 0))
	l := &in.Limits
	bits := f.u8()
	for n, limit := range []*int64{&l.Fsize, &l.MaxBytes, &l.BitmapBytes, &l.SectorSize, &l.AtomicMin, &l.AtomicMax} {
		if f.bit(bits, n) {
			*limit = f.bytes()
		}
	}
	for range f.u8() % 8 {
		e := f.u8()
		in.Extents = append(in.Extents, Extent{Len: uint32(f.u8()) << (e >> 4), State: BlockState(e & 7), Apart: f.bit(e, 3)})
	}
	return in
}

// impossible is a short list, by itself, of facts that cannot be. It need not be
// complete.
func impossible(w *Write, in *Inode) bool {
	bad := in.Blkbits < 10 || in.Blkbits > 16 || w.Pos < 0 || w.Len < 0 || w.Pos+w.Len < 0 ||
		in.ISize < 0 || in.ISizeAtGuess < 0 || in.IDisksize < 0 || in.IDisksize > in.ISize
	blocks := int64(0)
	for _, e := range in.Extents {
		bad = bad || e.Len == 0 || e.State >= LookupError || in.Indirect && e.State == Unwritten
		blocks += int64(e.Len)
	}
	return bad || blocks > 0xffffffff
}

// FuzzPredict: whatever the facts are, Predict does not panic; for facts that
// cannot be it says so and decides nothing; otherwise the outcome is a true one.
func FuzzPredict(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 0, 8, 0, 0, 12, 3, 4, 0, 0, 0, 0, 3, 1, 1, 2, 1, 1, 2})
	f.Add([]byte{6, 0xff, 0, 8, 0, 0, 12, 3, 4, 0, 0, 0, 0, 1, 1, 4})
	f.Add([]byte{7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 8, 0, 1, 12, 3, 4})
	f.Add([]byte{7, 0, 0, 0, 0, 0, 0x20, 0, 0, 3, 1, 0, 0, 12, 7, 0, 0, 0, 0, 0, 0x40, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		facts := rawFacts{raw}
		w, in := facts.write(), facts.inode()
		if w.Len > 1<<34 && !impossible(w, in) {
			return // as true as a shorter one, but it has millions of mappings
		}
		for _, v := range Variants() {
			var o Outcome
			err := Predict(&o, w, in, v)
			switch {
			case err != nil && !errors.Is(err, ErrFact):
				t.Errorf("%s: %v does not wrap ErrFact", v, err)
			case err == nil && impossible(w, in):
				t.Errorf("%s: %+v %+v cannot be, and no error", v, *w, *in)
			case err != nil && (o.Known() || o.Ended != SubmitNone || o.Result != 0):
				t.Errorf("%s: %v, but decided: %s %s %d", v, err, o.End, o.Ended, o.Result)
			case err == nil:
				for _, why := range brokenTruths(&o, w, in) {
					t.Errorf("%s: %+v %+v: %s", v, *w, *in, why)
				}
			}
		}
	})
}
