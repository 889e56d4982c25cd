package parquet

import (
	"maps"
	"slices"
)

// Numbers of the Parquet format (parquet.thrift).
const (
	required, optional, repeated = 0, 1, 2 // FieldRepetitionType
	convertedUTF8, convertedList = 0, 3
	logicalString, logicalList   = 1, 3
	plain, rle, rleDictionary    = 0, 3, 8 // Encoding
	dataPage, dictionaryPage     = 0, 2
	codecZstd                    = 6
)

// chunk is what the footer says of one column in one row group.
type chunk struct {
	values         int64
	plain, packed  int64 // bytes, headers included
	dictAt, dataAt int64 // places in the file; dictAt is 0 without a dictionary
	stats          statistics
}

// group is what the footer says of one row group.
type group struct {
	rows   int64
	chunks []chunk
}

// footer is the end of the file without its length and magic.
func footer(root *node, columns []*column, groups []group, about map[string]string) []byte {
	rows := int64(0)
	for _, g := range groups {
		rows += g.rows
	}
	t := &thrift{}
	t.open(0)
	t.i32(1, 1) // version
	t.list(2, root.elements(), thriftStruct)
	root.describe(t, required)
	t.i64(3, rows)
	t.list(4, len(groups), thriftStruct)
	for _, g := range groups {
		g.describe(t, columns)
	}
	if len(about) > 0 {
		t.list(5, len(about), thriftStruct)
		for _, k := range slices.Sorted(maps.Keys(about)) {
			t.open(0)
			t.text(1, k)
			t.text(2, about[k])
			t.close()
		}
	}
	t.text(6, "ext4dio-trace")
	// The order that the statistics mean, without which readers ignore them: that of
	// the type, for each column.
	t.list(7, len(columns), thriftStruct)
	for range columns {
		t.open(0)
		t.open(1)
		t.close()
		t.close()
	}
	t.close()
	return t.b
}

// elements is the number of elements of the schema of n and all below.
func (n *node) elements() int {
	sum := 1
	if n.list {
		sum++ // the repeated group between
	}
	for _, kid := range n.kids {
		sum += kid.elements()
	}
	return sum
}

// describe writes the elements of the schema, each before what is below it.
func (n *node) describe(t *thrift, repetition int32) {
	if n.optional {
		repetition = optional
	}
	t.open(0)
	if n.leaf != nil {
		t.i32(1, int32(n.leaf.typ))
	}
	t.i32(3, repetition)
	t.text(4, n.name)
	if n.leaf == nil {
		t.i32(5, int32(len(n.kids)))
	}
	switch {
	case n.list:
		t.i32(6, convertedList)
		logical(t, logicalList)
	case n.leaf != nil && n.leaf.typ == byteArray:
		t.i32(6, convertedUTF8)
		logical(t, logicalString)
	}
	t.close()
	if n.list {
		t.open(0)
		t.i32(3, repeated)
		t.text(4, "list")
		t.i32(5, 1)
		t.close()
	}
	for _, kid := range n.kids {
		kid.describe(t, required)
	}
}

// logical writes a logical type, which is a union of empty structures.
func logical(t *thrift, which int) {
	t.open(10)
	t.open(which)
	t.close()
	t.close()
}

func (g *group) describe(t *thrift, columns []*column) {
	total := int64(0)
	for _, c := range g.chunks {
		total += c.plain
	}
	t.open(0)
	t.list(1, len(g.chunks), thriftStruct)
	for i := range g.chunks {
		g.chunks[i].describe(t, columns[i])
	}
	t.i64(2, total)
	t.i64(3, g.rows)
	t.close()
}

func (c *chunk) describe(t *thrift, col *column) {
	begin := c.dataAt
	t.open(0)
	if c.dictAt > 0 {
		begin = c.dictAt
	}
	t.i64(2, begin)
	t.open(3)
	t.i32(1, int32(col.typ))
	encodings := []int64{plain, rle}
	if col.typ == byteArray {
		encodings = append(encodings, rleDictionary)
	}
	t.list(2, len(encodings), thriftI32)
	for _, e := range encodings {
		t.zigzag(e)
	}
	t.list(3, len(col.path), thriftBinary)
	for _, p := range col.path {
		t.item(p)
	}
	t.i32(4, codecZstd)
	t.i64(5, c.values)
	t.i64(6, c.plain)
	t.i64(7, c.packed)
	t.i64(9, c.dataAt)
	if c.dictAt > 0 {
		t.i64(11, c.dictAt)
	}
	c.stats.describe(t)
	t.close()
	t.close()
}
