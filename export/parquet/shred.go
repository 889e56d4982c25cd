package parquet

import (
	"reflect"
	"strings"
)

// node is one element of the schema: how a Go type is taken apart into columns.
type node struct {
	name     string
	optional bool    // a pointer, or a list that may be null
	list     bool    // its one child is the element
	kids     []*node // of a group or a list
	leaf     *column
	def, rep uint8 // levels when it is there
}

// schema makes the nodes and the columns of a structure, whose fields tell their names
// and whether a list may be null in the tag parquet.
func schema(t reflect.Type) (root *node, columns []*column) {
	root = &node{name: "write"}
	root.group(t, nil, &columns)
	return root, columns
}

func (n *node) group(t reflect.Type, path []string, columns *[]*column) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		kid := &node{name: name, optional: strings.Contains(options, "optional"), def: n.def, rep: n.rep}
		if kid.optional {
			kid.def++
		}
		kid.fill(f.Type, append(path[:len(path):len(path)], name), columns)
		n.kids = append(n.kids, kid)
	}
}

func (n *node) fill(t reflect.Type, path []string, columns *[]*column) {
	switch t.Kind() {
	case reflect.Pointer:
		n.fill(t.Elem(), path, columns)
	case reflect.Struct:
		n.group(t, path, columns)
	case reflect.Slice:
		n.list = true
		element := &node{name: "element", def: n.def + 1, rep: n.rep + 1}
		element.fill(t.Elem(), append(path[:len(path):len(path)], "list", "element"), columns)
		n.kids = []*node{element}
	default:
		n.leaf = &column{path: path, maxDef: n.def, maxRep: n.rep, typ: map[reflect.Kind]physical{
			reflect.Bool: boolean, reflect.Int32: int32s, reflect.Int64: int64s, reflect.String: byteArray,
		}[t.Kind()]}
		*columns = append(*columns, n.leaf)
	}
}

// add takes a value apart. rep says at which level it repeats.
func (n *node) add(v reflect.Value, rep uint8) {
	if n.optional && v.IsNil() {
		n.null(rep, n.def-1)
		return
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case n.list:
		element := n.kids[0]
		if v.Len() == 0 {
			element.null(rep, n.def)
		}
		for i := range v.Len() {
			element.add(v.Index(i), rep)
			rep = element.rep
		}
	case n.leaf == nil:
		for i, kid := range n.kids {
			kid.add(v.Field(i), rep)
		}
	case n.leaf.typ == byteArray:
		n.leaf.text(rep, v.String())
	case n.leaf.typ == boolean:
		one := int64(0)
		if v.Bool() {
			one = 1
		}
		n.leaf.number(rep, one)
	default:
		n.leaf.number(rep, v.Int())
	}
}

// null adds to all columns below that there is no value.
func (n *node) null(rep, def uint8) {
	if n.leaf != nil {
		n.leaf.null(rep, def)
		return
	}
	for _, kid := range n.kids {
		kid.null(rep, def)
	}
}
