package tracefile

import (
	"encoding/binary"

	"github.com/ext4dio/ext4dio-trace/record"
)

// The columns of a chunk of records, in this order. Numbers are append-only: a later
// version puts its columns behind these.
const (
	colLoss  = iota // counters so far, see appendLosses
	colKind         // of each record, one byte: record.Kind, or 0 for one kept as bytes
	colOther        // length and bytes of those

	colStages
	colT0
	colLatency
	colCPU // high 16 bits of the id
	colSeq // low 48 bits
	colIno
	colPos0
	colISize0
	colTgid
	colTid
	colComm // number of the name, in order of appearance
	colDev
	colKiFlags
	colLen0
	colRet
	colWaitNs
	colDioUs
	colLostBefore
	colBytes // StepsLost Passes Blkbits Caller IterType Depth Lock DioFlags DioOps Fmod
	colFmodRet
	colNrSegs
	colNSteps

	colStepKind
	colStepLock
	colStepAux
	colStepT
	colStepA
	colStepB
	colStepC
	colStepD

	colDoneCPU
	colDoneSeq
	colDoneT
	colDoneRet

	colNames // the names of colComm, 16 bytes each

	numColumns
)

// maxCPUs bounds the CPUs whose last number is remembered; the others share.
const maxCPUs = 4096

// maxStepKind bounds the kinds whose last values are remembered.
const maxStepKind = 32

// state is what the values of the next record are compared with. A chunk begins with
// all zero, so that it can be read by itself.
type state struct {
	w    record.Write // the last one, without steps
	seq  [maxCPUs]uint64
	pos  [256]uint64 // the last position of a thread, by its low bits
	step [maxStepKind]record.Step
	t    uint64 // of the last completion
}

// guess is what the fields of a step are expected to be: most follow from the write,
// the others are like those of the last step of the kind.
func (s *state) guess(w *record.Write, st *record.Step) record.Step {
	g := s.step[st.Kind%maxStepKind]
	switch st.Kind {
	case record.StepPass:
		g.A, g.B, g.C = w.Pos0, w.ISize0, w.Len0
	case record.StepDisksize:
		g.A = w.ISize0
	case record.StepLookup:
		g.C = uint32(w.Pos0 >> (w.Blkbits & 31))
	case record.StepMap:
		g.A = w.Pos0
		if st.Aux&record.MapLookup != 0 {
			g.A >>= w.Blkbits & 31
		}
	case record.StepZero:
		g.A = w.Pos0
	case record.StepBuffered, record.StepCopy:
		g.A, g.C = w.Pos0, w.Len0
	}
	return g
}

func zigzag(d int64) uint64   { return uint64(d<<1) ^ uint64(d>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// column is a sequence of numbers, each as a varint.
type column []byte

func (c *column) number(v uint64) { *c = binary.AppendUvarint(*c, v) }

// delta adds what v is more than the number that was expected.
func (c *column) delta(v, expected uint64) { *c = binary.AppendUvarint(*c, zigzag(int64(v-expected))) }

const seqBits = 48
