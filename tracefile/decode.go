package tracefile

import (
	"encoding/binary"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/record"
)

// decoder gives the records of one chunk, in their order.
type decoder struct {
	cols  [numColumns][]byte
	last  state
	left  int
	write record.Write
	done  record.Complete
	bad   bool
}

// begin takes the unpacked bytes of a chunk of count records.
func (d *decoder) begin(raw []byte, count int) error {
	d.last, d.left, d.bad = state{}, count, false
	n, at := binary.Uvarint(raw)
	if at <= 0 || n < numColumns || n > 4096 {
		return fmt.Errorf("%w: a chunk of %d columns", ErrFormat, n)
	}
	lens := make([]uint64, n)
	for i := range lens {
		v, k := binary.Uvarint(raw[at:])
		if k <= 0 {
			return fmt.Errorf("%w: the lengths of the columns are damaged", ErrFormat)
		}
		lens[i], at = v, at+k
	}
	for i, v := range lens {
		if v > uint64(len(raw)-at) {
			return fmt.Errorf("%w: column %d has %d bytes, only %d are left", ErrFormat, i, v, len(raw)-at)
		}
		if i < numColumns { // later versions have more
			d.cols[i] = raw[at : at+int(v)]
		}
		at += int(v)
	}
	if len(d.cols[colKind]) != count {
		return fmt.Errorf("%w: %d kinds for %d records", ErrFormat, len(d.cols[colKind]), count)
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

// next appends the next record in wire form to dst[:0].
func (d *decoder) next(dst []byte) ([]byte, error) {
	d.left--
	kind := d.bytes(colKind, 1)
	dst = dst[:0]
	switch {
	case d.bad:
	case record.Kind(kind[0]) == record.KindWrite:
		d.nextWrite(&d.write)
		if !d.bad {
			dst = d.write.Append(dst)
		}
	case record.Kind(kind[0]) == record.KindComplete:
		d.nextComplete(&d.done)
		dst = d.done.Append(dst)
	case kind[0] == 0:
		dst = append(dst, d.bytes(colOther, int(min(d.number(colOther), maxRaw)))...)
	default:
		d.bad = true
	}
	if d.bad {
		return nil, fmt.Errorf("%w: a column of a chunk is damaged", ErrFormat)
	}
	return dst, nil
}

func (d *decoder) nextWrite(w *record.Write) {
	p := &d.last.w
	w.Stages = record.Stages(d.number(colStages))
	w.T0 = d.delta(colT0, p.T0)
	w.Latency = d.number(colLatency)
	cpu := uint16(d.number(colCPU))
	seq := d.delta(colSeq, d.last.seq[cpu%maxCPUs]+1)
	w.ID = uint64(cpu)<<seqBits | seq&(1<<seqBits-1)
	w.Ino = d.delta(colIno, p.Ino)
	pos := d.number(colPos0)
	w.ISize0 = d.delta(colISize0, p.ISize0)
	w.Tgid = uint32(d.delta(colTgid, uint64(p.Tgid)))
	w.Tid = uint32(d.delta(colTid, uint64(p.Tid)))
	at := &d.last.pos[w.Tid&255]
	w.Pos0 = uint64(unzigzag(pos)) + *at
	d.comm(w)
	w.Dev = uint32(d.delta(colDev, uint64(p.Dev)))
	w.KiFlags = uint32(d.number(colKiFlags))
	w.Len0 = uint32(d.number(colLen0))
	w.Ret = int32(d.delta(colRet, uint64(w.Len0)))
	w.WaitNs = d.number(colWaitNs)
	w.DioUs = uint32(d.number(colDioUs))
	w.LostBefore = uint32(d.number(colLostBefore))
	if b := d.bytes(colBytes, 10); b != nil {
		w.StepsLost, w.Passes, w.Blkbits, w.Caller, w.IterType, w.Depth = b[0], b[1], b[2], record.Caller(b[3]), b[4], b[5]
		w.Lock, w.DioFlags, w.DioOps, w.Fmod = record.Lock(b[6]), b[7], record.Ops(b[8]), record.Fmod(b[9])
	}
	w.FmodRet = int16(d.delta(colFmodRet, 0))
	w.NrSegs = uint16(d.number(colNrSegs))
	n := d.number(colNSteps)
	if n > record.MaxSteps {
		d.bad = true
		return
	}
	w.NSteps = int(n)
	w.Size = uint16(record.HeadSize + w.NSteps*record.StepSize)
	d.last.seq[cpu%maxCPUs], *at = seq, w.Pos0
	t := uint32(0)
	for i := range w.Steps[:w.NSteps] {
		d.nextStep(w, &w.Steps[i], &t)
	}
	p.T0, p.Ino, p.ISize0, p.Tgid, p.Tid, p.Dev = w.T0, w.Ino, w.ISize0, w.Tgid, w.Tid, w.Dev
}

func (d *decoder) comm(w *record.Write) {
	at := d.number(colComm)
	names := d.cols[colNames]
	if at >= uint64(len(names)/16) {
		d.bad = true
		return
	}
	copy(w.Comm[:], names[at*16:])
}

func (d *decoder) nextStep(w *record.Write, s *record.Step, t *uint32) {
	kind, lock := d.bytes(colStepKind, 1), d.bytes(colStepLock, 1)
	if d.bad {
		return
	}
	s.Kind, s.Lock = record.StepKind(kind[0]), record.Lock(lock[0])
	s.Aux = uint16(d.number(colStepAux))
	s.TUs = uint32(d.delta(colStepT, uint64(*t)))
	g := d.last.guess(w, s)
	s.A, s.B = d.delta(colStepA, g.A), d.delta(colStepB, g.B)
	s.C, s.D = uint32(d.delta(colStepC, uint64(g.C))), uint32(d.delta(colStepD, uint64(g.D)))
	d.last.step[s.Kind%maxStepKind], *t = *s, s.TUs
}

func (d *decoder) nextComplete(c *record.Complete) {
	cpu := uint16(d.number(colDoneCPU))
	seq := d.delta(colDoneSeq, d.last.seq[cpu%maxCPUs])
	c.ID = uint64(cpu)<<seqBits | seq&(1<<seqBits-1)
	c.T = d.delta(colDoneT, d.last.t)
	c.Ret = int64(d.delta(colDoneRet, 0))
	d.last.t = c.T
}
