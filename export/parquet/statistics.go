package parquet

import (
	"encoding/binary"
	"slices"
)

// maxStatText bounds the texts in statistics, bytes. A column chunk with a longer least or
// greatest one has none: a shorter text would not be the least one any more.
const maxStatText = 64

// statistics is what a reader needs to know to leave a column chunk out.
type statistics struct {
	nulls       int64  // entries without a value; an empty list is one, too
	least, most string // values in their plain encoding; both empty when not known
	known       bool
}

// statistics looks through the values of the row group.
func (c *column) statistics() statistics {
	s := statistics{nulls: int64(len(c.defs) - len(c.numbers))}
	if len(c.numbers) == 0 {
		return s
	}
	if c.typ == byteArray { // all texts of a dictionary are used
		s.least, s.most = slices.Min(c.texts), slices.Max(c.texts)
		s.known = len(s.least) <= maxStatText && len(s.most) <= maxStatText
		return s
	}
	s.least, s.most = c.plainValue(slices.Min(c.numbers)), c.plainValue(slices.Max(c.numbers))
	s.known = true
	return s
}

func (c *column) plainValue(v int64) string {
	le := binary.LittleEndian
	switch c.typ {
	case boolean:
		return string([]byte{byte(v)})
	case int32s:
		return string(le.AppendUint32(nil, uint32(v)))
	}
	return string(le.AppendUint64(nil, uint64(v)))
}

// describe writes the statistics into the metadata of their column chunk.
func (s *statistics) describe(t *thrift) {
	t.open(12)
	t.i64(3, s.nulls)
	if s.known {
		t.text(5, s.most)
		t.text(6, s.least)
		t.yes(7) // both are values that are there
		t.yes(8)
	}
	t.close()
}
