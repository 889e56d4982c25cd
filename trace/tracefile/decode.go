package tracefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/record"
)

// errColumn says that the columns of a chunk do not hold what they claim.
var errColumn = errors.New("a column is damaged")

// knownShape is a shape as it was read.
type knownShape struct {
	wire []byte // a write record of it, with nothing but the shape
	head int    // bytes of its head
	base []values
}

// decoder gives the records of one chunk, in their order.
type decoder struct {
	cols    [allColumns]cursor
	nums    [numColumns][]uint64 // of the columns with one number for each write or completion
	stepT   []uint64             // of all steps
	kinds   []byte
	left    int // records
	write   int // the next one
	done    int // the next completion
	shapes  []knownShape
	threads []byte
	files   []byte

	now     uint64
	seq     [maxCPUs]uint64
	cpus    int
	by      []threadLast
	started uint64 // threads of which something was seen
	isizes  []uint64
	odds    [256][]uint64 // values by their number less one
	oddUsed []byte        // fields of odds that are in use
	bad     bool
	longer  uint64 // writes with heads of a later version, of all chunks
}

// begin takes the unpacked bytes of a chunk. Everything that it needs to know of them
// is looked at here, but for what steps have that their shape has not.
func (d *decoder) begin(raw []byte, h *head) error {
	d.left, d.write, d.done, d.now, d.started, d.bad = 0, 0, 0, 0, 0, false
	clear(d.seq[:d.cpus])
	d.cpus = 0
	for _, f := range d.oddUsed {
		d.odds[f] = d.odds[f][:0]
	}
	d.oddUsed = d.oddUsed[:0]
	if err := d.split(raw); err != nil {
		return err
	}
	d.kinds = d.cols[colKind].b
	if len(d.kinds) != int(h.Count) {
		return fmt.Errorf("%w: %d kinds for %d records", ErrFormat, len(d.kinds), h.Count)
	}
	writes, dones := 0, 0
	for _, k := range d.kinds {
		switch k {
		case byte(record.KindWrite):
			writes++
		case byte(record.KindComplete):
			dones++
		}
	}
	if writes != int(h.Writes) {
		return fmt.Errorf("%w: %d writes, where %d are claimed", ErrFormat, writes, h.Writes)
	}
	d.threads, d.files = d.cols[colThreads].b, d.cols[colFiles].b
	d.by = room(d.by, len(d.threads)/threadSize)
	d.isizes = room(d.isizes, len(d.files)/fileSize)
	clear(d.by)
	clear(d.isizes)
	d.readShapes()
	d.readNumbers(writes, dones)
	if d.bad {
		return fmt.Errorf("%w: %w", ErrFormat, errColumn)
	}
	d.left = int(h.Count)
	return nil
}

// room is a slice of n, s where that is large enough.
func room[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// split finds the columns. Those that a chunk has not are empty.
func (d *decoder) split(raw []byte) error {
	c := cursor{raw, &d.bad}
	n := c.number()
	if d.bad || n < numColumns || n > 4096 {
		return fmt.Errorf("%w: a chunk of %d columns", ErrFormat, n)
	}
	sizes := make([]uint64, max(n, allColumns))
	c.numbers(sizes[:n])
	if d.bad {
		return fmt.Errorf("%w: the lengths of the columns are damaged", ErrFormat)
	}
	for i, size := range sizes {
		b := c.bytes(int(min(size, maxRaw+1)))
		if d.bad {
			return fmt.Errorf("%w: column %d has %d bytes, only %d are left", ErrFormat, i, size, len(c.b))
		}
		if i < allColumns { // later versions may have more
			d.cols[i] = cursor{b, &d.bad}
		}
	}
	return nil
}

// readShapes reads them all.
func (d *decoder) readShapes() {
	d.shapes = d.shapes[:0]
	c := &d.cols[colShapes]
	for len(c.b) > 0 && !d.bad {
		old := d.roomForShape()
		w := append(old.wire[:0], make([]byte, record.FirstHead+maxWords*wordSize)...)
		for _, run := range shapeRuns {
			copy(w[run.from:run.to], c.bytes(run.to-run.from))
		}
		n, head := int(w[record.AtNSteps]), record.HeadOf(w)
		words, ok := surplusWords(head)
		size := record.FirstHead + n*record.StepSize
		if !ok || len(d.shapes) == maxShapes || n > record.MaxSteps || int(binary.LittleEndian.Uint16(w[record.AtSize:])) != size {
			d.bad = true
			return
		}
		binary.LittleEndian.PutUint16(w[record.AtSize:], uint16(size+words*wordSize))
		w = w[:head]
		var empty [record.StepSize - record.AtStepTUs]byte
		for range n {
			w = append(append(w, c.bytes(record.AtStepTUs)...), empty[:]...)
		}
		base := room(old.base, n)
		for i := range base {
			for f := range base[i] {
				base[i][f] = uint64(unzigzag(c.number()))
			}
		}
		d.shapes = append(d.shapes, knownShape{w, head, base})
	}
}

// roomForShape is a shape of an earlier chunk, whose memory the next one may have.
func (d *decoder) roomForShape() (s knownShape) {
	if n := len(d.shapes); n < cap(d.shapes) {
		s = d.shapes[:n+1][n]
	}
	return s
}

// readNumbers reads the columns that have a number for each write or completion, and
// looks whether the numbers of shapes, threads and files are of such that are there.
func (d *decoder) readNumbers(writes, dones int) {
	for col := colShape; col < numColumns && !d.bad; col++ {
		n := writes
		switch {
		case isSparse[col]:
			continue
		case col >= colDoneCPU:
			n = dones
		}
		d.nums[col] = room(d.nums[col], n)
		d.cols[col].numbers(d.nums[col])
	}
	if d.bad { // then some columns are still those of another chunk
		return
	}
	steps := 0
	for i := range d.nums[colShape] {
		shape, thread, file := d.nums[colShape][i], d.nums[colThread][i], d.nums[colFile][i]
		if shape >= uint64(len(d.shapes)) || thread >= uint64(len(d.by)) || file >= uint64(len(d.isizes)) {
			d.bad = true
			return
		}
		steps += len(d.shapes[shape].base)
	}
	if steps > len(d.cols[colStepT].b) { // each takes a byte at least
		d.bad = true
		return
	}
	if len(d.cols[colGapLow].b) != 2*writes || len(d.cols[colEndLow].b) != 2*writes {
		d.bad = true
		return
	}
	d.stepT = room(d.stepT, steps)
	d.cols[colStepT].numbers(d.stepT)
}

// isSparse has the columns with not just one number for each write or completion.
var isSparse = [numColumns]bool{
	colGapLow: true, colEndLow: true, colLen0: true, colStepT: true, colOddAt: true, colOddKnown: true, colOddBy: true, colDoneRet: true,
}

// next returns the next record in wire form in buf[:0], and whether it is one that this
// version knows. There has to be one left.
func (d *decoder) next(buf []byte) (raw []byte, known bool, err error) {
	kind := d.kinds[len(d.kinds)-d.left]
	d.left--
	switch kind {
	case byte(record.KindWrite):
		buf, known = d.nextWrite(buf[:0]), true
	case byte(record.KindComplete):
		buf, known = d.nextComplete(buf[:0]), true
	case 0:
		c := &d.cols[colOther]
		buf = append(buf[:0], c.bytes(int(min(c.number(), maxRaw)))...)
		k, _, err := record.KindOf(buf)
		known = err == nil && (k == record.KindWrite || k == record.KindComplete || k == record.KindHold || k == record.KindBudget)
		if record.HeadOf(buf) > record.HeadSize {
			d.longer++
		}
	default:
		d.bad = true
	}
	if d.bad {
		return buf, false, fmt.Errorf("%w: %w", ErrFormat, errColumn)
	}
	return buf, known, nil
}

// writesLeft is the number of those that next has still to return.
func (d *decoder) writesLeft() int { return len(d.nums[colShape]) - d.write }

func (d *decoder) nextWrite(buf []byte) []byte {
	i, n, le := d.write, &d.nums, binary.LittleEndian
	d.write++
	s, thread, file := &d.shapes[n[colShape][i]], n[colThread][i], n[colFile][i]
	buf = append(buf, s.wire...)
	id := d.id(n[colCPU][i], n[colSeq][i], 1)
	d.seq[id>>seqBits%maxCPUs] = id & seqMask
	last := &d.by[thread]
	if thread == d.started {
		d.started++
		last.end = d.now
	}
	t0, end := last.end+d.time(colGap, colGapLow, i), d.now+d.time(colEnd, colEndLow, i)
	length := uint64(uint32(d.odd(n[colLenKnown][i], colLen0, fieldLen)))
	pos := last.pos + unpackPos(n[colPos0][i])
	isize := d.isizes[file] + uint64(unzigzag(n[colISize0][i]))
	*last = threadLast{end: end, pos: pos + length}
	d.now, d.isizes[file] = end, isize

	w := buf[:record.FirstHead]
	le.PutUint64(w[record.AtT0:], t0)
	le.PutUint64(w[record.AtLatency:], end-t0)
	le.PutUint64(w[record.AtID:], id)
	le.PutUint64(w[record.AtPos0:], pos)
	le.PutUint64(w[record.AtISize0:], isize)
	le.PutUint32(w[record.AtLen0:], uint32(length))
	le.PutUint32(w[record.AtRet:], unpackRet(n[colRet][i], uint32(length)))
	le.PutUint64(w[record.AtWaitNs:], n[colWaitNs][i])
	f := d.files[file*fileSize:][:fileSize]
	copy(w[record.AtIno:record.AtIno+8], f)
	copy(w[record.AtDev:record.AtDev+4], f[8:])
	*(*[threadSize]byte)(w[record.AtTgid:]) = [threadSize]byte(d.threads[thread*threadSize:])
	p := place{pos: pos, isize: isize, length: length, bits: uint(w[record.AtBlkbits] & 31)}
	checked := d.steps(buf[s.head:], s.base, p, n[colOdd][i])
	le.PutUint32(w[record.AtDioUs:], uint32(expectDio(w, checked)+uint64(unzigzag(n[colDioUs][i]))))
	if s.head > record.HeadSize {
		d.longer++
	}
	for i, at := colWord, record.FirstHead; at < s.head; i, at = i+1, at+wordSize {
		le.PutUint32(buf[at:], uint32(d.cols[i].number()))
	}
	return buf
}

// time is the distance of times that encoder.addTime has put into two columns.
func (d *decoder) time(high, low, i int) uint64 {
	return uint64(unzigzag(d.nums[high][i]<<lowBits | uint64(binary.LittleEndian.Uint16(d.cols[low].b[2*i:]))))
}

// steps fills in those of a write, of which odd fields are not like in its shape. It
// returns the time of the last one before the decision.
func (d *decoder) steps(buf []byte, base []values, p place, odd uint64) (checked uint32) {
	ts := d.stepT[:len(base)]
	d.stepT = d.stepT[len(base):]
	at, t := -1, uint32(0)
	if odd > 0 {
		at = d.oddAt(&odd, -1)
	}
	for i := range base {
		step := buf[i*record.StepSize:][:record.StepSize]
		t += uint32(unzigzag(ts[i]))
		binary.LittleEndian.PutUint32(step[record.AtStepTUs:], t)
		kind := record.StepKind(step[record.AtStepKind])
		if isCheck(kind) {
			checked = t
		}
		v := base[i]
		p.expect(&v, kind, binary.LittleEndian.Uint16(step[record.AtStepAux:]))
		for at>>2 == i {
			v[at&3] += d.odd(d.cols[colOddKnown].number(), colOddBy, fieldOf(kind, at&3)) - base[i][at&3]
			at = d.oddAt(&odd, at)
		}
		store(step, &v)
		p.follow(kind, v[0])
	}
	if at >= 0 {
		d.bad = true // of a step that is not there
	}
	return checked
}

// odd is the value of a field by its number, or for 0 the next one of a column.
func (d *decoder) odd(n uint64, col int, field byte) uint64 {
	known := &d.odds[field]
	if n > 0 {
		if n > uint64(len(*known)) {
			d.bad = true
			return 0
		}
		return (*known)[n-1]
	}
	by := uint64(unzigzag(d.cols[col].number()))
	if len(*known) < maxOdd {
		if len(*known) == 0 {
			d.oddUsed = append(d.oddUsed, field)
		}
		*known = append(*known, by)
	}
	return by
}

// oddAt takes the place of the next field that is not like in the shape; -1 behind the
// last one. They come in order.
func (d *decoder) oddAt(left *uint64, before int) int {
	if *left == 0 {
		return -1
	}
	*left--
	b := d.cols[colOddAt].bytes(1)
	if d.bad || int(b[0]) <= before {
		d.bad = true
		return -1
	}
	return int(b[0])
}

// id makes an id. Its number is expected to be more than the last of its CPU.
func (d *decoder) id(cpu, seq, more uint64) uint64 {
	cpu &= 1<<(64-seqBits) - 1
	at := int(cpu % maxCPUs)
	d.cpus = max(d.cpus, at+1)
	return cpu<<seqBits | (d.seq[at]+more+uint64(unzigzag(seq)))&seqMask
}

// emptyDone is a completion of nothing.
var emptyDone = new(record.Complete).Append(nil)

func (d *decoder) nextComplete(buf []byte) []byte {
	i, n := d.done, &d.nums
	d.done++
	d.now += uint64(unzigzag(n[colDoneT][i]))
	buf = append(buf, emptyDone...)
	le := binary.LittleEndian
	le.PutUint64(buf[record.AtDoneID:], d.id(n[colDoneCPU][i], n[colDoneSeq][i], 0))
	le.PutUint64(buf[record.AtDoneT:], d.now)
	le.PutUint64(buf[record.AtDoneRet:], d.odd(n[colDoneKnown][i], colDoneRet, fieldDone))
	return buf
}

// cursor is what is left to read of a column.
type cursor struct {
	b   []byte
	bad *bool // set when it holds less than was asked for
}

// number takes the next number.
func (c *cursor) number() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		*c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

// numbers takes as many as dst has room for. Most have one to three bytes, and which,
// is mostly the same all along the column.
func (c *cursor) numbers(dst []uint64) {
	b := c.b
	for i := 0; i < len(dst); i++ {
		if len(b) < 4 {
			c.b = b
			for j := range dst[i:] {
				dst[i+j] = c.number()
			}
			return
		}
		u := binary.LittleEndian.Uint32(b)
		switch {
		case u&0x80808080 == 0 && len(dst)-i >= 4: // four of one byte
			four := dst[i : i+4]
			four[0], four[1], four[2], four[3] = uint64(u&0x7f), uint64(u>>8&0x7f), uint64(u>>16&0x7f), uint64(u>>24)
			b = b[4:]
			i += 3
		case u&0x80 == 0:
			dst[i] = uint64(u & 0x7f)
			b = b[1:]
		case u&0x8000 == 0:
			dst[i] = uint64(u&0x7f | u>>1&0x3f80)
			b = b[2:]
		case u&0x800000 == 0:
			dst[i] = uint64(u&0x7f | u>>1&0x3f80 | u>>2&0x1fc000)
			b = b[3:]
		default:
			v, n := binary.Uvarint(b)
			if n <= 0 {
				*c.bad = true
				return
			}
			dst[i] = v
			b = b[n:]
		}
	}
	c.b = b
}

// bytes takes the next n bytes; nil when there are fewer.
func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.b) {
		*c.bad = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}
