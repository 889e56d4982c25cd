package model

import (
	"strconv"
	"strings"
	"testing"
)

// row is one line of a table: a name, a drawn write, and facts by key.
type row struct {
	name    string
	line    string
	drawing drawing
	keys    map[string]int64 // a bare word counts as 1
}

// Keys that a number follows, and those that stand alone.
const (
	numberKeys = " pos len pos0 len0 mem isize isize0 disksize isize2 disksize2 pos2 bits modified" +
		" limit maxbytes bitmap sector awumin awumax "
	wordKeys = " insecure append nowait async locked nodio atomic dsync stale cached cached-busy cold" +
		" indirect inline data-journal encrypted inline-crypt verity dax immutable swapfile shutdown readonly "
	// sceneKeys exist only where the world is scripted, call by call.
	sceneKeys = " len0 isize2 disksize2 pos2 modified nodio "
)

// parseRow reads "NAME DRAWING key=value …".
func parseRow(t testing.TB, line string) *row {
	t.Helper()
	f := strings.Fields(line)
	if len(f) < 2 {
		t.Fatalf("row %q: want a name and a drawing", line)
	}
	r := &row{name: f[0], line: line, keys: map[string]int64{}}
	var err error
	if r.drawing, err = parseDrawing(f[1]); err != nil {
		t.Fatalf("row %q: %v", line, err)
	}
	for _, kv := range f[2:] {
		key, val, isNumber := strings.Cut(kv, "=")
		known := wordKeys
		if isNumber {
			known = numberKeys
		}
		if _, twice := r.keys[key]; twice || !strings.Contains(known, " "+key+" ") {
			t.Fatalf("row %q: key %q is not known, or given twice", line, key)
		}
		num := int64(1)
		if isNumber {
			if num, err = strconv.ParseInt(val, 0, 64); err != nil {
				t.Fatalf("row %q: %v", line, err)
			}
		}
		r.keys[key] = num
	}
	if !r.has("len") && r.drawing.n == 0 {
		t.Fatalf("row %q: no byte is written: draw one, or give len=", line)
	}
	return r
}

func (r *row) has(key string) bool { _, ok := r.keys[key]; return ok }

// number is the value of key, or what it is when left out.
func (r *row) number(key string, otherwise int64) int64 {
	if n, ok := r.keys[key]; ok {
		return n
	}
	return otherwise
}

func (r *row) blkbits() uint8 {
	drawn := r.drawing.blkbits
	if drawn == 0 {
		drawn = 12
	}
	return uint8(r.number("bits", int64(drawn)))
}

func (r *row) pos() int64 { return r.number("pos", r.drawing.pos) }
func (r *row) len() int64 { return r.number("len", r.drawing.n) }

// isize is at the end of the layout, unless it is given.
func (r *row) isize() int64 {
	return r.number("isize", int64(r.drawing.blocks)<<r.blkbits())
}

func (r *row) flags() uint32 {
	flags := uint32(0)
	for key, bit := range map[string]uint32{"append": IocbAppend, "nowait": IocbNowait, "atomic": IocbAtomic, "dsync": 0x2} {
		if r.has(key) {
			flags |= bit
		}
	}
	return flags
}

// isScripted reports whether the row says what happens call by call, which no
// known inode does.
func (r *row) isScripted() bool {
	for key := range r.keys {
		if strings.Contains(sceneKeys, " "+key+" ") {
			return true
		}
	}
	return strings.ContainsAny(r.drawing.layout, "EM")
}

// write is the write of the row as its caller asks for it.
func (r *row) write(t testing.TB) *Write {
	t.Helper()
	if r.has("append") && r.pos() != r.isize() {
		t.Fatalf("row %q: an append is drawn at %d, but i_size is %d", r.line, r.pos(), r.isize())
	}
	return &Write{
		Pos: r.number("pos0", r.pos()), Len: r.len(), Buffer: uint32(r.number("mem", 0)),
		Flags: r.flags(), Async: r.has("async"),
	}
}

// inode is the inode of the row, all facts known.
func (r *row) inode(t testing.TB) *Inode {
	t.Helper()
	if r.isScripted() {
		t.Fatalf("row %q: no known inode does that", r.line)
	}
	extents, err := ParseExtents(r.drawing.layout)
	if err != nil {
		t.Fatalf("row %q: %v", r.line, err)
	}
	in := NewInode(r.blkbits(), r.isize(), extents)
	in.ISizeAtGuess = r.number("isize0", in.ISize)
	in.IDisksize = r.number("disksize", in.ISize)
	in.Nosec = !r.has("insecure")
	in.Indirect, in.DAX = r.has("indirect"), r.has("dax")
	in.Busy, in.Stale = r.has("locked"), r.has("stale")
	in.InvalidateFails = r.has("cached-busy")
	in.Cached = r.has("cached") || in.InvalidateFails
	in.Shutdown, in.EmergencyRO = r.has("shutdown"), r.has("readonly")
	if r.has("cold") {
		in.Cache = CacheCold
	}
	in.Direct = DirectFacts{
		Verity: AnswerOf(r.has("verity")), Journal: AnswerOf(r.has("data-journal")), Inline: AnswerOf(r.has("inline")),
		Encrypt: AnswerOf(r.has("encrypted")), InlineCrypt: AnswerOf(r.has("inline-crypt")),
	}
	in.Limits = r.limits()
	return in
}

func (r *row) limits() Limits {
	l := Limits{
		Immutable: r.has("immutable"), Swapfile: r.has("swapfile"),
		Fsize: r.number("limit", 0), MaxBytes: r.number("maxbytes", 0), BitmapBytes: r.number("bitmap", 0),
		SectorSize: r.number("sector", 0),
	}
	if r.has("atomic") {
		l.AtomicMin, l.AtomicMax = r.number("awumin", 4096), r.number("awumax", 65536)
	}
	return l
}
