package tracefile

import (
	"encoding/binary"

	"github.com/ext4dio/ext4dio-trace/record"
)

// The columns of a chunk of records, in this order. Numbers are append-only: a later
// version puts its columns behind these. FORMAT.md tells what is in each.
const (
	colKind = iota
	colOther

	colShapes
	colThreads
	colFiles

	colShape
	colThread
	colFile
	colGap
	colGapLow
	colEnd
	colEndLow
	colCPU
	colSeq
	colPos0
	colISize0
	colLenKnown
	colLen0
	colRet
	colWaitNs
	colDioUs

	colStepT
	colOdd
	colOddAt
	colOddKnown
	colOddBy

	colDoneCPU
	colDoneSeq
	colDoneT
	colDoneKnown
	colDoneRet

	numColumns              // that every chunk has
	colWord    = numColumns // the first word of the heads behind record.FirstHead, and so on
	allColumns = numColumns + maxWords
)

// column is a sequence of numbers, each as a varint.
type column []byte

func (c *column) number(v uint64) {
	if v < 0x80 { // as most are
		*c = append(*c, byte(v))
		return
	}
	*c = binary.AppendUvarint(*c, v)
}

// delta adds what v is more than the number that was expected.
func (c *column) delta(v, expected uint64) { c.number(zigzag(int64(v - expected))) }

// threadLast is what is remembered of a thread.
type threadLast struct{ end, pos uint64 } // time and position

// odd is a value that is not as the shape has it: of a kind of step and a field, less
// what was expected.
type odd struct {
	field byte
	by    uint64
}

// maxOdd bounds the odd values of a field that are numbered.
const maxOdd = 100

// Fields that are no step's.
const (
	fieldLen  = 255
	fieldDone = 254
)

// fieldOf numbers the fields of all kinds of steps.
func fieldOf(kind record.StepKind, field int) byte { return byte(kind)<<2 | byte(field) }

// encoder gathers the records of one chunk in columns.
type encoder struct {
	cols    [allColumns]column
	words   int // columns of them that are in use
	shapes  numbering[shapeKey]
	bases   [][record.MaxSteps]values // of the first write of each shape: see place.expect
	threads numbering[[threadSize]byte]
	files   numbering[[fileSize]byte]
	// nearOdds has those that were there last, in front of oddSeen.
	nearOdds [512]struct {
		odd    odd
		number uint64 // from 1
	}

	now     uint64 // when the last record ended
	seq     [maxCPUs]uint64
	cpus    int          // of seq that are in use
	by      []threadLast // by thread
	isizes  []uint64     // by file
	oddSeen map[odd]uint64
	oddNum  [256]uint64 // of oddSeen, by kind and field

	count, writes uint32
	size          int // bytes of the records
	first, last   uint64
}

func newEncoder() *encoder {
	e := &encoder{oddSeen: map[odd]uint64{}}
	e.shapes.seen = map[shapeKey]uint64{}
	e.threads.seen, e.files.seen = map[[threadSize]byte]uint64{}, map[[fileSize]byte]uint64{}
	return e
}

// reset makes it ready for the next chunk, which is to be read without this one.
func (e *encoder) reset() {
	for i := range e.cols {
		e.cols[i] = e.cols[i][:0]
	}
	e.shapes.reset()
	e.bases = e.bases[:0]
	e.threads.reset()
	e.files.reset()
	clear(e.seq[:e.cpus])
	clear(e.oddSeen)
	clear(e.nearOdds[:])
	e.by, e.isizes = e.by[:0], e.isizes[:0]
	e.now, e.cpus, e.words, e.oddNum = 0, 0, 0, [256]uint64{}
	e.count, e.writes, e.size, e.first, e.last = 0, 0, 0, 0, 0
}

// add takes one raw record. One that is not understood is kept as it is.
func (e *encoder) add(raw []byte) {
	e.count++
	e.size += len(raw)
	switch {
	case isWrite(raw):
		e.cols[colKind] = append(e.cols[colKind], byte(record.KindWrite))
		e.writes++
		e.addWrite(raw)
	case isComplete(raw):
		e.cols[colKind] = append(e.cols[colKind], byte(record.KindComplete))
		e.addComplete(raw)
	default:
		e.cols[colKind] = append(e.cols[colKind], 0)
		e.cols[colOther].number(uint64(len(raw)))
		e.cols[colOther] = append(e.cols[colOther], raw...)
	}
}

func (e *encoder) time(t uint64) {
	if e.first == 0 || t < e.first {
		e.first = t
	}
	e.last = max(e.last, t)
}

func (e *encoder) addWrite(raw []byte) {
	le, c := binary.LittleEndian, &e.cols
	t0, pos, isize, length := le.Uint64(raw[record.AtT0:]), le.Uint64(raw[record.AtPos0:]), le.Uint64(raw[record.AtISize0:]), le.Uint32(raw[record.AtLen0:])
	e.time(t0)
	thread, file := e.threadOf(raw), e.fileOf(raw)
	cpu, seq := e.split(le.Uint64(raw[record.AtID:]), colCPU)

	last := &e.by[thread]
	end := t0 + le.Uint64(raw[record.AtLatency:])
	c[colThread].number(thread)
	c[colFile].number(file)
	e.addTime(colGap, colGapLow, t0-last.end)
	e.addTime(colEnd, colEndLow, end-e.now)
	c[colSeq].delta(seq, e.seq[cpu]+1)
	c[colPos0].number(packPos(pos - last.pos))
	c[colISize0].delta(isize, e.isizes[file])
	e.addOdd(colLenKnown, colLen0, odd{fieldLen, uint64(length)})
	c[colRet].number(packRet(int32(le.Uint32(raw[record.AtRet:])), length))
	c[colWaitNs].number(le.Uint64(raw[record.AtWaitNs:]))
	*last = threadLast{end: end, pos: pos + uint64(length)}
	e.now, e.seq[cpu], e.isizes[file] = end, seq, isize
	head := len(raw) - int(raw[record.AtNSteps])*record.StepSize
	checked := e.addSteps(raw, head, place{pos: pos, isize: isize, length: uint64(length), bits: uint(raw[record.AtBlkbits] & 31)})
	c[colDioUs].delta(uint64(le.Uint32(raw[record.AtDioUs:])), expectDio(raw, checked))
	for i, at := 0, record.FirstHead; at < head; i, at = i+1, at+wordSize {
		c[colWord+i].number(uint64(le.Uint32(raw[at:])))
		e.words = max(e.words, i+1)
	}
}

// addTime adds a distance of times to two columns: its low bits, which are noise, as
// they are, and the others as a number.
func (e *encoder) addTime(high, low int, d uint64) {
	u := zigzag(int64(d))
	e.cols[high].number(u >> lowBits)
	e.cols[low] = binary.LittleEndian.AppendUint16(e.cols[low], uint16(u))
}

// addSteps adds the shape, and what the steps have that it does not tell. It returns the
// time of the last step before the decision.
func (e *encoder) addSteps(raw []byte, head int, p place) (checked uint32) {
	c := &e.cols
	base, known := e.shapeOf(raw, head)
	t, odds := uint32(0), uint64(0)
	for i := range (len(raw) - head) / record.StepSize {
		step := raw[head+i*record.StepSize:]
		kind, aux := record.StepKind(step[record.AtStepKind]), binary.LittleEndian.Uint16(step[record.AtStepAux:])
		at := binary.LittleEndian.Uint32(step[record.AtStepTUs:])
		c[colStepT].delta(uint64(at), uint64(t))
		t = at
		if isCheck(kind) {
			checked = at
		}
		v, want := load(step), values{}
		p.expect(&want, kind, aux)
		by := values{v[0] - want[0], v[1] - want[1], v[2] - want[2], v[3] - want[3]}
		switch {
		case !known:
			base[i] = by
			for _, n := range by {
				c[colShapes].delta(n, 0)
			}
		case by != base[i]:
			odds += e.addOdds(i, kind, &by, &base[i])
		}
		p.follow(kind, v[0])
	}
	c[colOdd].number(odds)
	return checked
}

// addOdds adds the fields of a step that are not as in the shape, and returns how many.
func (e *encoder) addOdds(step int, kind record.StepKind, by, base *values) (n uint64) {
	for f := range by {
		if by[f] != base[f] {
			n++
			e.cols[colOddAt] = append(e.cols[colOddAt], byte(step*len(by)+f))
			e.addOdd(colOddKnown, colOddBy, odd{fieldOf(kind, f), by[f]})
		}
	}
	return n
}

// addOdd adds the number of a value that was there before to one column, or 0 and the
// value to another.
func (e *encoder) addOdd(known, by int, o odd) {
	at := &e.nearOdds[(o.by*golden+uint64(o.field)*golden<<32)>>55]
	if at.number > 0 && at.odd == o {
		e.cols[known].number(at.number)
		return
	}
	n := e.oddSeen[o]
	e.cols[known].number(n)
	if n == 0 {
		e.cols[by].delta(o.by, 0)
		if e.oddNum[o.field] >= maxOdd {
			return
		}
		e.oddNum[o.field]++
		n = e.oddNum[o.field]
		e.oddSeen[o] = n
	}
	at.odd, at.number = o, n
}

// split adds the CPU of an id to a column, and returns the place of its last number and
// the number.
func (e *encoder) split(id uint64, col int) (cpu int, seq uint64) {
	e.cols[col].number(id >> seqBits)
	cpu = int(id>>seqBits) % maxCPUs
	e.cpus = max(e.cpus, cpu+1)
	return cpu, id & seqMask
}

func (e *encoder) addComplete(raw []byte) {
	le, c := binary.LittleEndian, &e.cols
	t := le.Uint64(raw[record.AtDoneT:])
	e.time(t)
	cpu, seq := e.split(le.Uint64(raw[record.AtDoneID:]), colDoneCPU)
	c[colDoneSeq].delta(seq, e.seq[cpu])
	c[colDoneT].delta(t, e.now)
	e.addOdd(colDoneKnown, colDoneRet, odd{fieldDone, le.Uint64(raw[record.AtDoneRet:])})
	e.now = t
}

// isLast has the columns that end a run of columns whose bytes are alike: packed by
// themselves they take less.
var isLast = [allColumns]bool{
	colGap: true, colGapLow: true, colEnd: true, colEndLow: true, colSeq: true, colPos0: true, colWaitNs: true, colDioUs: true, colStepT: true,
}

// appendTo lays the columns one behind the other: their number, the length of each, and
// their bytes. It adds where runs of them end to cuts.
func (e *encoder) appendTo(dst []byte, cuts []int) ([]byte, []int) {
	cols := e.cols[:numColumns+e.words]
	dst = binary.AppendUvarint(dst, uint64(len(cols)))
	for _, c := range cols {
		dst = binary.AppendUvarint(dst, uint64(len(c)))
	}
	for i, c := range cols {
		dst = append(dst, c...)
		if isLast[i] {
			cuts = append(cuts, len(dst))
		}
	}
	return dst, cuts
}

// shapeKey is what writes of one shape have in common in their records: the head without
// the fields that have columns, and the first four bytes of each step.
type shapeKey [4 + record.MaxSteps/2]uint64

// numbering numbers keys from 0, in order of appearance.
type numbering[K comparable] struct {
	seen map[K]uint64
	near [512]struct { // those that were there last, in front of the map
		key    K
		number uint64 // one more than it is, so that 0 is none
	}
}

// of returns the number of a key that hashes so, and whether it was there before.
func (n *numbering[K]) of(key *K, hash uint32) (number uint64, known bool) {
	at := &n.near[hash%uint32(len(n.near))]
	if at.number > 0 && *key == at.key {
		return at.number - 1, true
	}
	if number, known = n.seen[*key]; !known {
		number = uint64(len(n.seen))
		n.seen[*key] = number
	}
	at.key, at.number = *key, number+1
	return number, known
}

// reset forgets all keys.
func (n *numbering[K]) reset() {
	clear(n.seen)
	clear(n.near[:])
}

// golden is the golden ratio: no pattern in its bits.
const golden = 0x9e3779b97f4a7c15

// fill makes k the key of a write, and returns a hash of it whose upper bits are best.
func (k *shapeKey) fill(raw []byte, head int) (hash uint64) {
	le := binary.LittleEndian
	first := raw[:record.FirstHead]
	k[0], k[1] = le.Uint64(first[record.AtKind:]), uint64(le.Uint32(first[record.AtKiFlags:]))|uint64(le.Uint32(first[record.AtLostBefore:]))<<32
	k[2], k[3] = le.Uint64(first[record.AtNSteps:]), le.Uint64(first[record.AtNSteps+8:])
	hash = (k[0]+k[1]*5+k[2]*9)*golden ^ k[3]
	n := 4
	for steps := raw[head:]; len(steps) >= record.StepSize; n++ {
		k[n] = uint64(le.Uint32(steps))
		if steps = steps[record.StepSize:]; len(steps) >= record.StepSize {
			k[n] |= uint64(le.Uint32(steps)) << 32
			steps = steps[record.StepSize:]
		}
		hash = (hash<<7 | hash>>57 ^ k[n]) * golden
	}
	clear(k[n:])
	return hash * golden
}

// shapeOf numbers the shape of a write, and returns the values of its steps. When it is new
// it is put into its column, to which addSteps adds those.
func (e *encoder) shapeOf(raw []byte, head int) (base *[record.MaxSteps]values, known bool) {
	var key shapeKey
	hash := key.fill(raw, head)
	n, known := e.shapes.of(&key, uint32(hash>>55))
	if !known {
		e.bases = append(e.bases, [record.MaxSteps]values{})
		e.cols[colShapes] = appendShape(e.cols[colShapes], raw, head)
	}
	e.cols[colShape].number(n)
	return &e.bases[n], known
}

// appendShape adds the parts of a write that are in no other column. The size is that
// without what is behind the first bytes of the head: who knows nothing of its columns
// still reads a write.
func appendShape(dst, raw []byte, head int) []byte {
	size := len(dst) + record.AtSize
	for _, run := range shapeRuns {
		dst = append(dst, raw[run.from:run.to]...)
	}
	binary.LittleEndian.PutUint16(dst[size:], uint16(len(raw)-head+record.FirstHead))
	for at := head; at < len(raw); at += record.StepSize {
		dst = append(dst, raw[at:at+record.AtStepTUs]...)
	}
	return dst
}

// threadOf numbers the threads of a chunk.
func (e *encoder) threadOf(raw []byte) uint64 {
	key := (*[threadSize]byte)(raw[record.AtTgid:])
	n, known := e.threads.of(key, binary.LittleEndian.Uint32(raw[record.AtTid:]))
	if !known {
		e.by = append(e.by, threadLast{end: e.now})
		e.cols[colThreads] = append(e.cols[colThreads], key[:]...)
	}
	return n
}

// fileOf numbers the files of a chunk.
func (e *encoder) fileOf(raw []byte) uint64 {
	var key [fileSize]byte
	copy(key[:8], raw[record.AtIno:])
	copy(key[8:], raw[record.AtDev:])
	n, known := e.files.of(&key, binary.LittleEndian.Uint32(raw[record.AtIno:]))
	if !known {
		e.isizes = append(e.isizes, 0)
		e.cols[colFiles] = append(e.cols[colFiles], key[:]...)
	}
	return n
}
