package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrShort is wrapped by every error about a record that ends too early.
var ErrShort = errors.New("record too short")

// ErrKind is returned for a record of a kind that this version does not know.
// Such a record is skipped by its size and counted, never guessed at.
var ErrKind = errors.New("unknown record kind")

const (
	// FirstHead is the length of the head in the first version, bytes. A head that
	// says nothing of its length has it.
	FirstHead = 128
	// minHead is the shortest head that holds its own length.
	minHead = AtHead + 2
)

// KindOf tells the kind of a raw record and its size in bytes on the wire.
// The error wraps ErrShort when raw does not even hold that.
func KindOf(raw []byte) (Kind, int, error) {
	if len(raw) < 8 {
		return 0, 0, noKind(raw)
	}
	return Kind(binary.LittleEndian.Uint16(raw[AtKind:])), int(binary.LittleEndian.Uint16(raw[AtSize:])), nil
}

func noKind(raw []byte) error {
	return fmt.Errorf("read record kind: %w: %d bytes", ErrShort, len(raw))
}

// HeadOf is the length in bytes of the head of a raw write record, behind which its
// steps begin; 0 when raw is none, or holds less than its head.
func HeadOf(raw []byte) int {
	if len(raw) < minHead || Kind(binary.LittleEndian.Uint16(raw[AtKind:])) != KindWrite {
		return 0
	}
	n := int(binary.LittleEndian.Uint16(raw[AtHead:]))
	if n == 0 {
		n = FirstHead
	}
	if n < minHead || n > len(raw) {
		return 0
	}
	return n
}

// ParseWrite fills w from raw. It allocates nothing and leaves w unspecified on
// error. The error wraps ErrShort or ErrKind. Fields that a shorter head has not are
// zero; what a longer head has more is skipped, see Write.Surplus.
func ParseWrite(raw []byte, w *Write) error {
	head := HeadOf(raw)
	if head == 0 {
		return noWrite(raw)
	}
	fixed := (*[minHead]byte)(raw)
	size, n := int(binary.LittleEndian.Uint16(fixed[AtSize:])), int(fixed[AtNSteps])
	if size > len(raw) || n > MaxSteps || size != head+n*StepSize {
		return fmt.Errorf("parse write: %w: %d steps in %d of %d bytes", ErrShort, n, len(raw), size)
	}
	steps := raw[head:]
	for i := range w.Steps[:n] {
		w.Steps[i].parse((*[StepSize]byte)(steps))
		steps = steps[StepSize:]
	}
	if head < HeadSize { // its last fields are zero
		var whole [HeadSize]byte
		copy(whole[:], raw[:head])
		w.parse(&whole)
	} else {
		w.parse((*[HeadSize]byte)(raw))
	}
	w.Head = uint16(head)
	return nil
}

// noWrite says why bytes without a whole head are no write record.
func noWrite(raw []byte) error {
	kind, size, err := KindOf(raw)
	switch {
	case err != nil:
		return err
	case kind != KindWrite:
		return fmt.Errorf("parse write: %w: %d", ErrKind, kind)
	}
	return fmt.Errorf("parse write: %w: %d of %d bytes", ErrShort, len(raw), size)
}

// whole reports why raw is no whole record of a kind whose first version had so many bytes.
// A longer one has fields that only a later version knows.
func whole(raw []byte, want Kind, bytes int, what string) error {
	kind, size, err := KindOf(raw)
	switch {
	case err != nil:
		return err
	case kind != want:
		return fmt.Errorf("parse %s: %w: %d", what, ErrKind, kind)
	case len(raw) < bytes || size < bytes || size > len(raw):
		return fmt.Errorf("parse %s: %w: %d of %d bytes", what, ErrShort, len(raw), size)
	}
	return nil
}

// ParseComplete fills c from raw. The error wraps ErrShort or ErrKind.
func ParseComplete(raw []byte, c *Complete) error {
	if err := whole(raw, KindComplete, CompleteSize, "completion"); err != nil {
		return err
	}
	c.parse((*[CompleteSize]byte)(raw))
	return nil
}

// Has reports whether the head of w was long enough to hold the field at one of the
// offsets AtT0, AtLatency and so on. The zero of a field that it has not means nothing.
func (w *Write) Has(at int) bool {
	i := slices.IndexFunc(headFields, func(f Field) bool { return f.At == at })
	return i >= 0 && headFields[i].At+headFields[i].Width <= w.headLen()
}

// HasName is Has of the generation and the name of the file.
func (w *Write) HasName() bool { return w.headLen() >= AtName+4 }

// headLen is the length of the head, bytes; that of this version when none was set.
func (w *Write) headLen() int {
	if w.Head == 0 {
		return HeadSize
	}
	return int(w.Head)
}

// Surplus is the number of bytes of the head that were skipped: of fields that only a
// later version knows.
func (w *Write) Surplus() int { return max(w.headLen()-HeadSize, 0) }

// Append encodes w in wire form to dst, the inverse of ParseWrite. Tests and
// trace tools build records with it. The head is as long as w.Head says, and of this
// version's length when that is 0.
func (w *Write) Append(dst []byte) []byte {
	var whole [HeadSize]byte
	put(whole[:], headFields, w)
	head, off := max(w.headLen(), minHead), len(dst)
	dst = append(dst, make([]byte, head+w.NSteps*StepSize)...)
	raw := dst[off:]
	copy(raw[:head], whole[:])
	binary.LittleEndian.PutUint16(raw[AtKind:], uint16(KindWrite))
	binary.LittleEndian.PutUint16(raw[AtSize:], uint16(len(raw)))
	binary.LittleEndian.PutUint16(raw[AtHead:], uint16(head))
	for i := range w.NSteps {
		put(raw[head+i*StepSize:], stepFields, &w.Steps[i])
	}
	return dst
}

// Append encodes c in wire form to dst, the inverse of ParseComplete.
func (c *Complete) Append(dst []byte) []byte {
	var raw [CompleteSize]byte
	binary.LittleEndian.PutUint16(raw[AtDoneKind:], uint16(KindComplete))
	binary.LittleEndian.PutUint16(raw[AtDoneSize:], CompleteSize)
	put(raw[:], completeFields, c)
	return append(dst, raw[:]...)
}

// PidHidden is the number of a process that the tracer's pid namespace does not have
// (PID_HIDDEN).
const PidHidden = ^uint32(0)

// IDOf is the id of a raw record: a write and its completion have the same. ok is
// false for a record that is cut off, or of another kind.
func IDOf(raw []byte) (id uint64, ok bool) {
	switch {
	case HeadOf(raw) > 0:
		return binary.LittleEndian.Uint64(raw[AtID:]), true
	case isComplete(raw):
		return binary.LittleEndian.Uint64(raw[AtDoneID:]), true
	}
	return 0, false
}

// StagesOf are the stages of a raw write; none of what is no write.
func StagesOf(raw []byte) Stages {
	if HeadOf(raw) == 0 {
		return 0
	}
	return Stages(binary.LittleEndian.Uint32(raw[AtStages:]))
}

// TimesOf is when what a raw record tells of began and when it ended, ns of
// CLOCK_MONOTONIC: entry and return of a write; both are the same for a completion. ok
// is as that of IDOf.
func TimesOf(raw []byte) (began, ended uint64, ok bool) {
	e := binary.LittleEndian
	switch {
	case HeadOf(raw) > 0:
		began = e.Uint64(raw[AtT0:])
		return began, began + e.Uint64(raw[AtLatency:]), true
	case isComplete(raw):
		t := e.Uint64(raw[AtDoneT:])
		return t, t, true
	}
	return 0, 0, false
}

func isComplete(raw []byte) bool {
	return len(raw) >= CompleteSize && Kind(binary.LittleEndian.Uint16(raw[AtDoneKind:])) == KindComplete
}
