package record

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrShort is wrapped by every error about a record that ends too early.
var ErrShort = errors.New("record too short")

// ErrKind is returned for a record of a kind that this version does not know.
// Such a record is skipped by its size and counted, never guessed at.
var ErrKind = errors.New("unknown record kind")

// KindOf tells the kind of a raw record and its size in bytes on the wire.
// The error wraps ErrShort when raw does not even hold that.
func KindOf(raw []byte) (Kind, int, error) {
	if len(raw) < 8 {
		return 0, 0, fmt.Errorf("read record kind: %w: %d bytes", ErrShort, len(raw))
	}
	return Kind(binary.NativeEndian.Uint16(raw)), int(binary.NativeEndian.Uint16(raw[2:])), nil
}

// ParseWrite fills w from raw. It allocates nothing and leaves w unspecified on
// error. The error wraps ErrShort or ErrKind.
func ParseWrite(raw []byte, w *Write) error {
	kind, size, err := KindOf(raw)
	if err != nil {
		return err
	}
	if kind != KindWrite {
		return fmt.Errorf("parse write: %w: %d", ErrKind, kind)
	}
	if len(raw) < HeadSize || size > len(raw) || size < HeadSize {
		return fmt.Errorf("parse write: %w: %d of %d bytes", ErrShort, len(raw), size)
	}
	e := binary.NativeEndian
	n := int(raw[112])
	if n > MaxSteps || size != HeadSize+n*StepSize {
		return fmt.Errorf("parse write: %w: %d steps in %d bytes", ErrShort, n, size)
	}
	w.Size = uint16(size)
	w.Stages = Stages(e.Uint32(raw[4:]))
	w.T0 = e.Uint64(raw[8:])
	w.Latency = e.Uint64(raw[16:])
	w.ID = e.Uint64(raw[24:])
	w.Ino = e.Uint64(raw[32:])
	w.Pos0 = e.Uint64(raw[40:])
	w.ISize0 = e.Uint64(raw[48:])
	w.Tgid = e.Uint32(raw[56:])
	w.Tid = e.Uint32(raw[60:])
	copy(w.Comm[:], raw[64:80])
	w.Dev = e.Uint32(raw[80:])
	w.KiFlags = e.Uint32(raw[84:])
	w.Len0 = e.Uint32(raw[88:])
	w.Ret = int32(e.Uint32(raw[92:]))
	w.WaitNs = e.Uint64(raw[96:])
	w.DioUs = e.Uint32(raw[104:])
	w.LostBefore = e.Uint32(raw[108:])
	w.NSteps = n
	w.StepsLost = raw[113]
	w.Passes = raw[114]
	w.Blkbits = raw[115]
	w.Caller = Caller(raw[116])
	w.IterType = raw[117]
	w.Depth = raw[118]
	w.Lock = Lock(raw[119])
	w.DioFlags = raw[120]
	w.DioOps = Ops(raw[121])
	w.Fmod = Fmod(raw[122])
	w.NrSegs = e.Uint16(raw[126:])
	for i := range n {
		parseStep(raw[HeadSize+i*StepSize:], &w.Steps[i])
	}
	return nil
}

func parseStep(raw []byte, s *Step) {
	_ = raw[StepSize-1]
	e := binary.NativeEndian
	s.Kind = StepKind(raw[0])
	s.Lock = Lock(raw[1])
	s.Aux = e.Uint16(raw[2:])
	s.TUs = e.Uint32(raw[4:])
	s.A = e.Uint64(raw[8:])
	s.B = e.Uint64(raw[16:])
	s.C = e.Uint32(raw[24:])
	s.D = e.Uint32(raw[28:])
}

// ParseComplete fills c from raw. The error wraps ErrShort or ErrKind.
func ParseComplete(raw []byte, c *Complete) error {
	kind, size, err := KindOf(raw)
	if err != nil {
		return err
	}
	if kind != KindComplete {
		return fmt.Errorf("parse completion: %w: %d", ErrKind, kind)
	}
	if len(raw) < CompleteSize || size < CompleteSize || size > len(raw) {
		return fmt.Errorf("parse completion: %w: %d of %d bytes", ErrShort, len(raw), size)
	}
	e := binary.NativeEndian
	c.ID = e.Uint64(raw[8:])
	c.T = e.Uint64(raw[16:])
	c.Ret = int64(e.Uint64(raw[24:]))
	return nil
}

// Append encodes w in wire form to dst, the inverse of ParseWrite. Tests and
// trace tools build records with it.
func (w *Write) Append(dst []byte) []byte {
	e := binary.NativeEndian
	off := len(dst)
	dst = append(dst, make([]byte, HeadSize+w.NSteps*StepSize)...)
	raw := dst[off:]
	e.PutUint16(raw, uint16(KindWrite))
	e.PutUint16(raw[2:], uint16(len(raw)))
	e.PutUint32(raw[4:], uint32(w.Stages))
	e.PutUint64(raw[8:], w.T0)
	e.PutUint64(raw[16:], w.Latency)
	e.PutUint64(raw[24:], w.ID)
	e.PutUint64(raw[32:], w.Ino)
	e.PutUint64(raw[40:], w.Pos0)
	e.PutUint64(raw[48:], w.ISize0)
	e.PutUint32(raw[56:], w.Tgid)
	e.PutUint32(raw[60:], w.Tid)
	copy(raw[64:80], w.Comm[:])
	e.PutUint32(raw[80:], w.Dev)
	e.PutUint32(raw[84:], w.KiFlags)
	e.PutUint32(raw[88:], w.Len0)
	e.PutUint32(raw[92:], uint32(w.Ret))
	e.PutUint64(raw[96:], w.WaitNs)
	e.PutUint32(raw[104:], w.DioUs)
	e.PutUint32(raw[108:], w.LostBefore)
	raw[112], raw[113], raw[114], raw[115] = byte(w.NSteps), w.StepsLost, w.Passes, w.Blkbits
	raw[116], raw[117], raw[118], raw[119] = byte(w.Caller), w.IterType, w.Depth, byte(w.Lock)
	raw[120], raw[121], raw[122] = w.DioFlags, byte(w.DioOps), byte(w.Fmod)
	e.PutUint16(raw[126:], w.NrSegs)
	for i := range w.NSteps {
		s, b := &w.Steps[i], raw[HeadSize+i*StepSize:]
		b[0], b[1] = byte(s.Kind), byte(s.Lock)
		e.PutUint16(b[2:], s.Aux)
		e.PutUint32(b[4:], s.TUs)
		e.PutUint64(b[8:], s.A)
		e.PutUint64(b[16:], s.B)
		e.PutUint32(b[24:], s.C)
		e.PutUint32(b[28:], s.D)
	}
	return dst
}

// Append encodes c in wire form to dst, the inverse of ParseComplete.
func (c *Complete) Append(dst []byte) []byte {
	e := binary.NativeEndian
	dst = e.AppendUint16(dst, uint16(KindComplete))
	dst = e.AppendUint16(dst, CompleteSize)
	dst = e.AppendUint32(dst, 0)
	dst = e.AppendUint64(dst, c.ID)
	dst = e.AppendUint64(dst, c.T)
	return e.AppendUint64(dst, uint64(c.Ret))
}

// FileOf tells which file a raw write record is about, and the process (tgid) that
// wrote. ok is false for any other record.
func FileOf(raw []byte) (dev uint32, ino uint64, tgid uint32, ok bool) {
	e := binary.NativeEndian
	if len(raw) < HeadSize || Kind(e.Uint16(raw)) != KindWrite {
		return 0, 0, 0, false
	}
	return e.Uint32(raw[80:]), e.Uint64(raw[32:]), e.Uint32(raw[56:]), true
}
