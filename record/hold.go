package record

import "encoding/binary"

// HoldOp is what holds i_rwsem besides recorded writes (enum hold_op).
type HoldOp uint8

// ParseHold fills h from raw. A record that is longer has fields that only a later version
// knows. The error wraps ErrShort or ErrKind.
func ParseHold(raw []byte, h *Hold) error {
	if err := whole(raw, KindHold, HoldSize, "hold"); err != nil {
		return err
	}
	h.parse((*[HoldSize]byte)(raw))
	return nil
}

// Append encodes h in wire form to dst, the inverse of ParseHold.
func (h *Hold) Append(dst []byte) []byte {
	var raw [HoldSize]byte
	put(raw[:], holdFields, h)
	binary.LittleEndian.PutUint16(raw[AtHoldKind:], uint16(KindHold))
	binary.LittleEndian.PutUint16(raw[AtHoldSize:], HoldSize)
	return append(dst, raw[:]...)
}

var holdOpNames = [...]string{
	"unknown", "direct-write", "direct-read", "buffered-write", "fallocate", "setattr", "ioctl", "fsync", "seek",
	"fiemap", "setxattr", "setflags", "unlink", "link",
}

// String is the name by which it is shown.
func (o HoldOp) String() string {
	if int(o) < len(holdOpNames) {
		return holdOpNames[o]
	}
	return holdOpNames[HoldUnknown]
}
