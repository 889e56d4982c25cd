package tracefile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
)

// errColumn says that the columns of a chunk do not hold what they claim.
var errColumn = errors.New("a column is damaged")

// knownShape is a shape as it was read.
type knownShape struct {
	wire []byte // a write record of it, with nothing but the shape
	base []values
}

// decoder gives the records of one chunk, in their order.
type decoder struct {
	cols    [numColumns][]byte
	left    int // records
	writes  int // of them
	shapes  []knownShape
	threads []byte
	files   []byte

	t0, doneT uint64
	seq       [maxCPUs]uint64
	cpus      int
	ends      []uint64
	isizes    []uint64
	bad       bool
}

// begin takes the unpacked bytes of a chunk.
func (d *decoder) begin(raw []byte, h *head) error {
	d.left, d.writes, d.bad = 0, 0, false
	d.t0, d.doneT = 0, 0
	clear(d.seq[:d.cpus])
	d.cpus = 0
	if err := d.split(raw); err != nil {
		return err
	}
	if len(d.cols[colKind]) != int(h.count) {
		return fmt.Errorf("%w: %d kinds for %d records", ErrFormat, len(d.cols[colKind]), h.count)
	}
	d.threads, d.files = d.cols[colThreads], d.cols[colFiles]
	d.ends = zeros(d.ends, len(d.threads)/threadSize)
	d.isizes = zeros(d.isizes, len(d.files)/fileSize)
	if err := d.readShapes(); err != nil {
		return err
	}
	d.left, d.writes = int(h.count), int(h.writes)
	return nil
}

func zeros(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// split finds the columns.
func (d *decoder) split(raw []byte) error {
	n, at := binary.Uvarint(raw)
	if at <= 0 || n < numColumns || n > 4096 {
		return fmt.Errorf("%w: a chunk of %d columns", ErrFormat, n)
	}
	lens := raw[at:]
	for range n {
		_, k := binary.Uvarint(raw[at:])
		if k <= 0 {
			return fmt.Errorf("%w: the lengths of the columns are damaged", ErrFormat)
		}
		at += k
	}
	for i := range int(n) {
		v, k := binary.Uvarint(lens)
		lens = lens[k:]
		if v > uint64(len(raw)-at) {
			return fmt.Errorf("%w: column %d has %d bytes, only %d are left", ErrFormat, i, v, len(raw)-at)
		}
		if i < numColumns { // later versions have more
			d.cols[i] = raw[at : at+int(v)]
		}
		at += int(v)
	}
	return nil
}

// readShapes reads them all.
func (d *decoder) readShapes() error {
	d.shapes = d.shapes[:0]
	const fixed = offT0 + (offLen0 - offDev - 4) + (record.HeadSize - offDioUs - 4)
	for len(d.cols[colShapes]) > 0 && !d.bad {
		head := d.bytes(colShapes, fixed)
		if d.bad {
			break
		}
		w := make([]byte, record.HeadSize, record.HeadSize+4*record.StepSize)
		copy(w, head[:offT0])
		copy(w[offDev+4:], head[offT0:offT0+4])
		copy(w[offDioUs+4:], head[offT0+4:])
		n := int(w[offNSteps])
		if len(d.shapes) == maxShapes || n > record.MaxSteps || int(binary.LittleEndian.Uint16(w[offSize:])) != record.HeadSize+n*record.StepSize {
			d.bad = true
			break
		}
		for range n {
			w = append(w, d.bytes(colShapes, offTUs)...)
			if d.bad {
				break
			}
			w = append(w, make([]byte, record.StepSize-offTUs)...)
		}
		base := make([]values, n)
		for i := range base {
			for f := range base[i] {
				base[i][f] = d.delta(colShapes, 0)
			}
		}
		d.shapes = append(d.shapes, knownShape{w, base})
	}
	if d.bad {
		return fmt.Errorf("%w: %w: shapes", ErrFormat, errColumn)
	}
	return nil
}

// number takes the next number of a column.
func (d *decoder) number(col int) uint64 {
	c := d.cols[col]
	if len(c) > 0 && c[0] < 0x80 {
		d.cols[col] = c[1:]
		return uint64(c[0])
	}
	return d.long(col)
}

// long takes a number of more than one byte.
func (d *decoder) long(col int) uint64 {
	c := d.cols[col]
	if len(c) >= 4 { // most have two or three
		u := binary.LittleEndian.Uint32(c)
		switch {
		case u&0x8000 == 0:
			d.cols[col] = c[2:]
			return uint64(u&0x7f | u>>1&0x3f80)
		case u&0x800000 == 0:
			d.cols[col] = c[3:]
			return uint64(u&0x7f | u>>1&0x3f80 | u>>2&0x1fc000)
		}
	}
	v, n := binary.Uvarint(c)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.cols[col] = c[n:]
	return v
}

func (d *decoder) delta(col int, expected uint64) uint64 {
	return uint64(unzigzag(d.number(col))) + expected
}

// bytes takes the next n bytes of a column; nil when there are fewer.
func (d *decoder) bytes(col, n int) []byte {
	c := d.cols[col]
	if n < 0 || n > len(c) {
		d.bad = true
		return nil
	}
	d.cols[col] = c[n:]
	return c[:n]
}

// next returns the next record in wire form in buf[:0], and whether it is one that this
// version knows. There has to be one left.
func (d *decoder) next(buf []byte) (raw []byte, known bool, err error) {
	kind := d.cols[colKind][0]
	d.cols[colKind] = d.cols[colKind][1:]
	d.left--
	switch kind {
	case byte(record.KindWrite):
		buf, known = d.nextWrite(buf[:0]), true
		d.writes--
	case byte(record.KindComplete):
		buf, known = d.nextComplete(buf[:0]), true
	case 0:
		buf = append(buf[:0], d.bytes(colOther, int(min(d.number(colOther), maxRaw)))...)
	default:
		d.bad = true
	}
	if d.bad {
		return buf, false, fmt.Errorf("%w: %w", ErrFormat, errColumn)
	}
	return buf, known, nil
}

func (d *decoder) nextWrite(buf []byte) []byte {
	shape, thread, file := d.number(colShape), d.number(colThread), d.number(colFile)
	if shape >= uint64(len(d.shapes)) || thread >= uint64(len(d.ends)) || file >= uint64(len(d.isizes)) {
		d.bad = true
		return buf
	}
	s := &d.shapes[shape]
	buf = append(buf, s.wire...)
	le := binary.LittleEndian
	d.t0 = d.delta(colT0, d.t0)
	id := d.id(colCPU, colSeq, 1)
	d.seq[id>>seqBits%maxCPUs] = id & seqMask
	pos, isize := d.delta(colPos0, d.ends[thread]), d.delta(colISize0, d.isizes[file])
	length := uint32(d.number(colLen0))
	d.ends[thread], d.isizes[file] = pos+uint64(length), isize

	w := buf[:record.HeadSize]
	le.PutUint64(w[offT0:], d.t0)
	le.PutUint64(w[offLatency:], d.number(colLatency))
	le.PutUint64(w[offID:], id)
	le.PutUint64(w[offPos0:], pos)
	le.PutUint64(w[offISize0:], isize)
	le.PutUint32(w[offLen0:], length)
	le.PutUint32(w[offRet:], uint32(d.delta(colRet, uint64(length))))
	le.PutUint64(w[offWaitNs:], d.number(colWaitNs))
	le.PutUint32(w[offDioUs:], uint32(d.number(colDioUs)))
	f := d.files[file*fileSize:]
	copy(w[offIno:offIno+8], f)
	copy(w[offDev:offDev+4], f[8:])
	copy(w[offThread:offThread+threadSize], d.threads[thread*threadSize:])
	d.steps(buf, s, place{pos: pos, isize: isize, length: uint64(length), bits: uint(w[offBlkbits] & 31)})
	return buf
}

// steps fills in those of a write.
func (d *decoder) steps(buf []byte, s *knownShape, p place) {
	odd := d.number(colOdd)
	at, t := -1, uint32(0)
	if odd > 0 {
		at = d.oddAt(&odd, -1)
	}
	for i := range s.base {
		step := buf[record.HeadSize+i*record.StepSize:][:record.StepSize]
		t += uint32(unzigzag(d.number(colStepT)))
		binary.LittleEndian.PutUint32(step[offTUs:], t)
		kind := record.StepKind(step[0])
		v, base := p.expect(kind, binary.LittleEndian.Uint16(step[offAux:])), &s.base[i]
		for f := range v {
			v[f] += base[f]
		}
		for at>>2 == i {
			v[at&3] += d.delta(colOddBy, 0)
			at = d.oddAt(&odd, at)
		}
		store(step, &v)
		p.follow(kind, v[0])
	}
	if at >= 0 {
		d.bad = true // of a step that is not there
	}
}

// oddAt takes the place of the next field that is not like in the shape; -1 behind the
// last one. They come in order.
func (d *decoder) oddAt(left *uint64, before int) int {
	if *left == 0 {
		return -1
	}
	*left--
	b := d.bytes(colOddAt, 1)
	if d.bad || int(b[0]) <= before {
		d.bad = true
		return -1
	}
	return int(b[0])
}

// id takes an id. Its number is expected to be more than the last of its CPU.
func (d *decoder) id(cpus, seqs int, more uint64) uint64 {
	cpu := d.number(cpus) & (1<<(64-seqBits) - 1)
	at := int(cpu % maxCPUs)
	d.cpus = max(d.cpus, at+1)
	return cpu<<seqBits | d.delta(seqs, d.seq[at]+more)&seqMask
}

func (d *decoder) nextComplete(buf []byte) []byte {
	c := record.Complete{ID: d.id(colDoneCPU, colDoneSeq, 0), T: d.delta(colDoneT, d.doneT)}
	c.Ret = int64(d.delta(colDoneRet, 0))
	d.doneT = c.T
	return c.Append(buf)
}
