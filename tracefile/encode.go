package tracefile

import "github.com/ext4dio/ext4dio-trace/record"

// encoder gathers records in columns.
type encoder struct {
	cols  [numColumns]column
	names map[[16]byte]uint64
	last  state

	write       record.Write
	complete    record.Complete
	count       uint32
	writes      uint32
	first, high uint64
}

func (e *encoder) reset() {
	for i := range e.cols {
		e.cols[i] = e.cols[i][:0]
	}
	clear(e.names)
	if e.names == nil {
		e.names = map[[16]byte]uint64{}
	}
	e.last = state{}
	e.count, e.writes, e.first, e.high = 0, 0, 0, 0
}

// add takes one raw record. One that is not understood is kept as it is.
func (e *encoder) add(raw []byte) {
	e.count++
	kind, _, err := record.KindOf(raw)
	switch {
	case err == nil && kind == record.KindWrite && record.ParseWrite(raw, &e.write) == nil && len(raw) == int(e.write.Size):
		e.cols[colKind] = append(e.cols[colKind], byte(kind))
		e.writes++
		e.time(e.write.T0)
		e.addWrite(&e.write)
	case err == nil && kind == record.KindComplete && len(raw) == record.CompleteSize && record.ParseComplete(raw, &e.complete) == nil:
		e.cols[colKind] = append(e.cols[colKind], byte(kind))
		e.time(e.complete.T)
		e.addComplete(&e.complete)
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
	e.high = max(e.high, t)
}

func (e *encoder) addWrite(w *record.Write) {
	c, p := &e.cols, &e.last.w
	cpu, seq := uint16(w.ID>>seqBits), w.ID&(1<<seqBits-1)
	at := &e.last.pos[w.Tid&255]

	c[colStages].number(uint64(w.Stages))
	c[colT0].delta(w.T0, p.T0)
	c[colLatency].number(w.Latency)
	c[colCPU].number(uint64(cpu))
	c[colSeq].delta(seq, e.last.seq[cpu%maxCPUs]+1)
	c[colIno].delta(w.Ino, p.Ino)
	c[colPos0].delta(w.Pos0, *at)
	c[colISize0].delta(w.ISize0, p.ISize0)
	c[colTgid].delta(uint64(w.Tgid), uint64(p.Tgid))
	c[colTid].delta(uint64(w.Tid), uint64(p.Tid))
	c[colComm].number(e.name(w.Comm))
	c[colDev].delta(uint64(w.Dev), uint64(p.Dev))
	c[colKiFlags].number(uint64(w.KiFlags))
	c[colLen0].number(uint64(w.Len0))
	c[colRet].delta(uint64(int64(w.Ret)), uint64(w.Len0))
	c[colWaitNs].number(w.WaitNs)
	c[colDioUs].number(uint64(w.DioUs))
	c[colLostBefore].number(uint64(w.LostBefore))
	c[colBytes] = append(c[colBytes], w.StepsLost, w.Passes, w.Blkbits, byte(w.Caller), w.IterType, w.Depth,
		byte(w.Lock), w.DioFlags, byte(w.DioOps), byte(w.Fmod))
	c[colFmodRet].delta(uint64(int64(w.FmodRet)), 0)
	c[colNrSegs].number(uint64(w.NrSegs))
	c[colNSteps].number(uint64(w.NSteps))
	e.last.seq[cpu%maxCPUs], *at = seq, w.Pos0
	t := uint32(0)
	for i := range w.Steps[:w.NSteps] {
		e.addStep(w, &w.Steps[i], &t)
	}
	p.T0, p.Ino, p.ISize0, p.Tgid, p.Tid, p.Dev = w.T0, w.Ino, w.ISize0, w.Tgid, w.Tid, w.Dev
}

func (e *encoder) addStep(w *record.Write, s *record.Step, t *uint32) {
	c, g := &e.cols, e.last.guess(w, s)
	c[colStepKind] = append(c[colStepKind], byte(s.Kind))
	c[colStepLock] = append(c[colStepLock], byte(s.Lock))
	c[colStepAux].number(uint64(s.Aux))
	c[colStepT].delta(uint64(s.TUs), uint64(*t))
	c[colStepA].delta(s.A, g.A)
	c[colStepB].delta(s.B, g.B)
	c[colStepC].delta(uint64(s.C), uint64(g.C))
	c[colStepD].delta(uint64(s.D), uint64(g.D))
	e.last.step[s.Kind%maxStepKind], *t = *s, s.TUs
}

func (e *encoder) addComplete(d *record.Complete) {
	c := &e.cols
	cpu, seq := uint16(d.ID>>seqBits), d.ID&(1<<seqBits-1)
	c[colDoneCPU].number(uint64(cpu))
	c[colDoneSeq].delta(seq, e.last.seq[cpu%maxCPUs])
	c[colDoneT].delta(d.T, e.last.t)
	c[colDoneRet].delta(uint64(d.Ret), 0)
	e.last.t = d.T
}

// name numbers the command names of a chunk.
func (e *encoder) name(comm [16]byte) uint64 {
	n, known := e.names[comm]
	if !known {
		n = uint64(len(e.names))
		e.names[comm] = n
		e.cols[colNames] = append(e.cols[colNames], comm[:]...)
	}
	return n
}

// appendTo lays the columns one behind the other: their number, the length of each, and
// their bytes.
func (e *encoder) appendTo(dst []byte) []byte {
	var lens column
	lens.number(numColumns)
	for i := range e.cols {
		lens.number(uint64(len(e.cols[i])))
	}
	dst = append(dst, lens...)
	for i := range e.cols {
		dst = append(dst, e.cols[i]...)
	}
	return dst
}
