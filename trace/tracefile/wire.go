package tracefile

import (
	"encoding/binary"

	"github.com/ext4dio/ext4dio-trace/record"
)

const (
	threadSize = record.AtDev - record.AtTgid // tgid, tid, comm
	fileSize   = 8 + 4                        // ino, dev
	wordSize   = 4
	// maxWords bounds what a head has behind its first record.FirstHead bytes, words.
	maxWords = 64
)

// shapeRuns are the bytes of the head that a shape has: the fields without a column.
var shapeRuns = [...]struct{ from, to int }{
	{record.AtKind, record.AtT0}, {record.AtKiFlags, record.AtLen0}, {record.AtLostBefore, record.FirstHead},
}

const (
	seqBits = 48 // of an id; the bits above are the CPU
	seqMask = 1<<seqBits - 1
	// maxCPUs bounds the CPUs whose last number is remembered; the others share.
	maxCPUs = 4096
	lowBits = 16 // of the times of writes that have a column of their own
	// maxPos bounds positions, so that the distance of two fits into packPos. No ext4
	// has files of that size.
	maxPos = 1 << 61
)

// isWrite reports whether raw is a write record that can be put into columns and back:
// its sizes fit together.
func isWrite(raw []byte) bool {
	head := record.HeadOf(raw)
	if _, ok := surplusWords(head); head != record.FirstHead && !ok {
		return false
	}
	n := int(raw[record.AtNSteps])
	size := head + n*record.StepSize
	return n <= record.MaxSteps && len(raw) == size && int(binary.LittleEndian.Uint16(raw[record.AtSize:])) == size &&
		binary.LittleEndian.Uint64(raw[record.AtPos0:]) < maxPos
}

// surplusWords is the number of words that a head has behind the bytes that the other
// columns hold; ok is false for a head that is kept as it is.
func surplusWords(head int) (n int, ok bool) {
	n = (head - record.FirstHead) / wordSize
	return n, n >= 0 && n <= maxWords && head == record.FirstHead+n*wordSize
}

// isComplete is isWrite for a completion.
func isComplete(raw []byte) bool {
	le := binary.LittleEndian
	return len(raw) == record.CompleteSize && le.Uint16(raw[record.AtDoneKind:]) == uint16(record.KindComplete) &&
		le.Uint16(raw[record.AtDoneSize:]) == record.CompleteSize && le.Uint32(raw[record.AtDonePad:]) == 0
}

// place is what the steps of a write are expected to follow from.
type place struct {
	pos, isize, length uint64
	bits               uint
	zeroed, lookups    int // steps of these kinds so far
}

// values are the four fields of a step.
type values [4]uint64

func (v *values) add(a, b, c uint64) { v[0], v[1], v[2] = v[0]+a, v[1]+b, v[2]+c }

// expect adds to v what the fields of a step are expected to be, up to a constant that is
// the same in the writes of one shape. It has to stay as it is: files depend on it.
func (p *place) expect(v *values, kind record.StepKind, aux uint16) {
	mask := uint64(1)<<p.bits - 1
	end := p.pos + p.length
	switch kind {
	case record.StepPass:
		v.add(p.pos, p.isize, p.length)
	case record.StepDisksize:
		v.add(p.isize, 0, 0)
	case record.StepLookup:
		at := p.pos
		if p.lookups > 0 {
			at = end - 1
		}
		v.add(0, 0, at>>p.bits)
		p.lookups++
	case record.StepMap:
		from, to := p.pos&^mask, (end+mask)&^mask
		if aux&record.MapLookup != 0 {
			from, to = from>>p.bits, to>>p.bits
		}
		v.add(from, to-from, 0)
	case record.StepZero:
		if p.zeroed > 0 || p.pos&mask == 0 {
			v.add(end, -end&mask, 0)
		} else {
			v.add(p.pos&^mask, p.pos&mask, 0)
		}
		p.zeroed++
	case record.StepBuffered, record.StepCopy:
		v.add(p.pos, 0, p.length)
	}
}

// follow takes note of a step: O_APPEND has moved the position before a pass ended.
func (p *place) follow(kind record.StepKind, a uint64) {
	if kind == record.StepPass {
		p.pos, p.lookups, p.zeroed = a, 0, 0
	}
}

// isCheck reports whether a step is one of those before the decision.
func isCheck(kind record.StepKind) bool {
	switch kind {
	case record.StepPass, record.StepDisksize, record.StepLookup, record.StepDrain, record.StepWait, record.StepAlign:
		return true
	}
	return false
}

// expectDio is when iomap_dio_rw is expected to have been entered: right after the last
// step before it, or not at all.
func expectDio(raw []byte, checked uint32) uint64 {
	if !record.Stages(binary.LittleEndian.Uint32(raw[record.AtStages:])).Has(record.StageDIO) {
		return 0
	}
	return uint64(checked)
}

// packPos makes a number of a distance in bytes, a shorter one for whole blocks of 4096
// bytes and for whole sectors of 512, as most are.
func packPos(d uint64) uint64 {
	switch {
	case d&(1<<12-1) == 0:
		return zigzag(int64(d)>>12)<<2 | 3
	case d&(1<<9-1) == 0:
		return zigzag(int64(d)>>9)<<2 | 1
	}
	return zigzag(int64(d)) << 1
}

func unpackPos(u uint64) uint64 {
	switch {
	case u&3 == 3:
		return uint64(unzigzag(u>>2)) << 12
	case u&3 == 1:
		return uint64(unzigzag(u>>2)) << 9
	}
	return uint64(unzigzag(u >> 1))
}

// packRet makes a number of a result: 0 for all bytes, as most have.
func packRet(ret int32, length uint32) uint64 {
	if ret >= 0 && uint32(ret) == length {
		return 0
	}
	return zigzag(int64(ret)) + 1
}

func unpackRet(u uint64, length uint32) uint32 {
	if u == 0 {
		return length
	}
	return uint32(unzigzag(u - 1))
}

// load reads the fields of a step.
func load(step []byte) values {
	le := binary.LittleEndian
	_ = step[record.StepSize-1]
	return values{le.Uint64(step[record.AtStepA:]), le.Uint64(step[record.AtStepB:]), uint64(le.Uint32(step[record.AtStepC:])), uint64(le.Uint32(step[record.AtStepD:]))}
}

// store is the reverse of load.
func store(step []byte, v *values) {
	le := binary.LittleEndian
	_ = step[record.StepSize-1]
	le.PutUint64(step[record.AtStepA:], v[0])
	le.PutUint64(step[record.AtStepB:], v[1])
	le.PutUint32(step[record.AtStepC:], uint32(v[2]))
	le.PutUint32(step[record.AtStepD:], uint32(v[3]))
}

func zigzag(d int64) uint64   { return uint64(d<<1) ^ uint64(d>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
