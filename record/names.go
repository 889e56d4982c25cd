package record

import (
	"encoding/binary"
	"fmt"
)

// FileID names a file. When it is deleted its number can be given to another one, of
// another generation; that is 0 in a trace of before it was recorded.
type FileID struct {
	Dev        uint32 // kernel's dev_t
	Ino        uint64
	Generation uint32
}

// NameID is one of the names of a file. Without a number it is the one that was seen last.
type NameID struct {
	FileID
	Name uint32
}

// FileOf tells which file a raw write record is about, and by which of its names that was
// opened. ok is false for any other record.
func FileOf(raw []byte) (id NameID, ok bool) {
	head := HeadOf(raw)
	if head == 0 {
		return id, false
	}
	e := binary.LittleEndian
	id.Dev, id.Ino = e.Uint32(raw[AtDev:]), e.Uint64(raw[AtIno:])
	if head >= AtName+4 {
		id.Generation, id.Name = e.Uint32(raw[AtGeneration:]), e.Uint32(raw[AtName:])
	}
	return id, true
}

// IsName reports whether a raw record is one of a name.
func IsName(raw []byte) bool {
	return len(raw) >= NameSize && Kind(binary.LittleEndian.Uint16(raw[AtNameKind:])) == KindName
}

// ParseName fills n from raw, and returns the path as the kernel's side puts it together:
// the last part first, a slash behind each. The error wraps ErrShort or ErrKind.
func ParseName(raw []byte, n *Name) (path []byte, err error) {
	kind, size, err := KindOf(raw)
	switch {
	case err != nil:
		return nil, err
	case kind != KindName:
		return nil, fmt.Errorf("parse name: %w: %d", ErrKind, kind)
	case size > len(raw) || size < NameSize:
		return nil, fmt.Errorf("parse name: %w: %d of %d bytes", ErrShort, len(raw), size)
	}
	if n.parse((*[NameSize]byte)(raw)); NameSize+int(n.Len) != size {
		return nil, fmt.Errorf("parse name: %w: a path of %d bytes in %d", ErrShort, n.Len, size)
	}
	return raw[NameSize:size], nil
}

// ID is the name that it tells of.
func (n *Name) ID() NameID { return NameID{FileID{n.Dev, n.Ino, n.Generation}, n.Name} }

// Append encodes n and its path in wire form to dst, the inverse of ParseName.
func (n *Name) Append(dst []byte, path string) []byte {
	var raw [NameSize]byte
	put(raw[:], nameFields, n)
	binary.LittleEndian.PutUint16(raw[AtNameKind:], uint16(KindName))
	binary.LittleEndian.PutUint16(raw[AtNameSize:], uint16(NameSize+len(path)))
	binary.LittleEndian.PutUint16(raw[AtNameLen:], uint16(len(path)))
	return append(append(dst, raw[:]...), path...)
}
