package parquet

import (
	"encoding/binary"
	"slices"
)

// maxStatText bounds the texts in statistics, bytes. A column chunk with a longer least or
// greatest one has none: a shorter text would not be the least one any more.
const maxStatText = 64

// statistics looks through the values of the row group.
func (c *column) statistics() statistics {
	s := statistics{Nulls: int64(len(c.defs) - len(c.numbers))}
	switch {
	case len(c.numbers) == 0:
		return s
	case c.typ == byteArray: // all texts of a dictionary are used
		s.Least, s.Most = []byte(slices.Min(c.texts)), []byte(slices.Max(c.texts))
		if len(s.Least) > maxStatText || len(s.Most) > maxStatText {
			s.Least, s.Most = nil, nil
			return s
		}
	default:
		s.Least, s.Most = c.plainValue(slices.Min(c.numbers)), c.plainValue(slices.Max(c.numbers))
	}
	s.LeastExact, s.MostExact = true, true
	return s
}

func (c *column) plainValue(v int64) []byte {
	le := binary.LittleEndian
	switch c.typ {
	case boolean:
		return []byte{byte(v)}
	case int32s:
		return le.AppendUint32(nil, uint32(v))
	}
	return le.AppendUint64(nil, uint64(v))
}
