package tracefile

import "encoding/binary"

// cursor is what is left to read of a column.
type cursor struct {
	b   []byte
	bad *bool // set when it holds less than was asked for
}

// number takes the next number.
func (c *cursor) number() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		*c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}

// numbers takes as many as dst has room for. Most have one to three bytes, and which,
// is mostly the same all along the column.
func (c *cursor) numbers(dst []uint64) {
	b := c.b
	for i := 0; i < len(dst); i++ {
		if len(b) < 4 {
			c.b = b
			for j := range dst[i:] {
				dst[i+j] = c.number()
			}
			return
		}
		u := binary.LittleEndian.Uint32(b)
		switch {
		case u&0x80808080 == 0 && len(dst)-i >= 4: // four of one byte
			four := dst[i : i+4]
			four[0], four[1], four[2], four[3] = uint64(u&0x7f), uint64(u>>8&0x7f), uint64(u>>16&0x7f), uint64(u>>24)
			b = b[4:]
			i += 3
		case u&0x80 == 0:
			dst[i] = uint64(u & 0x7f)
			b = b[1:]
		case u&0x8000 == 0:
			dst[i] = uint64(u&0x7f | u>>1&0x3f80)
			b = b[2:]
		case u&0x800000 == 0:
			dst[i] = uint64(u&0x7f | u>>1&0x3f80 | u>>2&0x1fc000)
			b = b[3:]
		default:
			v, n := binary.Uvarint(b)
			if n <= 0 {
				*c.bad = true
				return
			}
			dst[i] = v
			b = b[n:]
		}
	}
	c.b = b
}

// bytes takes the next n bytes; nil when there are fewer.
func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.b) {
		*c.bad = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}
