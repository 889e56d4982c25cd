package parquet

import (
	"maps"
	"slices"
)

// Numbers of the Parquet format (parquet.thrift).
const (
	required, optional, repeated int32 = 0, 1, 2 // FieldRepetitionType
	plain, rle, rleDictionary    int32 = 0, 3, 8 // Encoding
	dataPage, dictionaryPage     int32 = 0, 2
	codecZstd                    int32 = 6
)

// convertedUTF8 and convertedList are kinds of columns for readers that do not know the
// logical types.
var convertedUTF8, convertedList int32 = 0, 3

// footer is the end of the file without its length and magic.
func footer(root *node, columns []*column, groups []rowGroup, about map[string]string) []byte {
	f := fileMetaData{
		Version: 1, Schema: root.describe(nil, required), Groups: groups, CreatedBy: "ext4dio-trace",
		// The order that the statistics mean, without which readers ignore them: that of
		// the type, for each column.
		ColumnOrders: make([]columnOrder, len(columns)),
	}
	for i := range groups {
		f.Rows += groups[i].Rows
	}
	for _, k := range slices.Sorted(maps.Keys(about)) {
		f.About = append(f.About, keyValue{k, about[k]})
	}
	return compact(&f)
}

// describe appends the elements of the schema, each before what is below it.
func (n *node) describe(out []schemaElement, repetition int32) []schemaElement {
	if n.optional {
		repetition = optional
	}
	e := schemaElement{Repetition: repetition, Name: n.name, Kids: int32(len(n.kids))}
	if n.leaf != nil {
		e.Type = &n.leaf.typ
	}
	switch {
	case n.list:
		e.Converted, e.Logical = &convertedList, &logicalType{List: &struct{}{}}
	case n.leaf != nil && n.leaf.typ == byteArray:
		e.Converted, e.Logical = &convertedUTF8, &logicalType{String: &struct{}{}}
	}
	out = append(out, e)
	if n.list {
		out = append(out, schemaElement{Repetition: repeated, Name: "list", Kids: 1})
	}
	for _, kid := range n.kids {
		out = kid.describe(out, required)
	}
	return out
}
