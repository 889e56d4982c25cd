package parquet

import (
	"github.com/ext4dio/ext4dio-trace/export/schema"
)

// node is one element of the schema: a field, or what is in a list.
type node struct {
	name     string
	optional bool
	list     bool    // its one child is the element
	kids     []*node // of a group or a list
	leaf     *column
	def, rep uint8 // levels when it is there
	at, end  int   // its place among all nodes, and the place behind those in it
}

// shredder takes rows apart into columns. It is a schema.Visitor.
type shredder struct {
	root    *node
	nodes   []*node // all, in the order of the fields
	columns []*column

	next  int   // place of the node whose value comes next
	rep   uint8 // level at which it repeats
	lists []openList
}

// openList is a list of which not all items were seen.
type openList struct {
	*node
	outer uint8 // rep before it
}

func newShredder(fields []*schema.About) *shredder {
	s := &shredder{root: &node{name: "write"}}
	s.group(s.root, fields, nil)
	return s
}

func (s *shredder) group(n *node, fields []*schema.About, path []string) {
	for _, f := range fields {
		kid := &node{name: f.Name, optional: f.Null, def: n.def, rep: n.rep}
		if kid.optional {
			kid.def++
		}
		n.kids = append(n.kids, kid)
		s.add(kid, f, join(path, f.Name))
	}
}

// add makes the columns of a field, the elements of its list among them.
func (s *shredder) add(n *node, f *schema.About, path []string) {
	n.at = len(s.nodes)
	s.nodes = append(s.nodes, n)
	switch f.Type {
	case schema.TypeFlags, schema.TypeTexts, schema.TypeList:
		n.list = true
		element := &node{name: "element", def: n.def + 1, rep: n.rep + 1}
		n.kids = []*node{element}
		of := &schema.About{Type: schema.TypeText}
		if f.Type == schema.TypeList {
			of = &schema.About{Type: schema.TypeRecord, Kids: f.Kids}
		}
		s.add(element, of, join(path, "list", "element"))
	case schema.TypeRecord:
		s.group(n, f.Kids, path)
	default:
		n.leaf = &column{path: path, maxDef: n.def, maxRep: n.rep, typ: byteArray}
		if typ, ok := physicals[f.Type]; ok {
			n.leaf.typ = typ
		}
		s.columns = append(s.columns, n.leaf)
	}
	n.end = len(s.nodes)
}

func join(path []string, names ...string) []string {
	return append(path[:len(path):len(path)], names...)
}

// physicals are the types of columns that are no texts. All numbers are signed, as not
// every engine knows others.
var physicals = map[schema.Type]physical{schema.TypeBool: boolean, schema.TypeInt32: int32s, schema.TypeInt64: int64s}

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

// take returns the node whose value comes.
func (s *shredder) take() *node {
	n := s.nodes[s.next]
	s.next++
	return n
}

// begin starts a row.
func (s *shredder) begin() { s.next, s.rep = 0, 0 }

// Null is of schema.Visitor, and so are all below.
func (s *shredder) Null() {
	n := s.take()
	n.null(s.rep, n.def-1)
	s.next = n.end
}

// Number adds a number or a boolean.
func (s *shredder) Number(v int64) { s.take().leaf.number(s.rep, v) }

// Word adds a text of our own.
func (s *shredder) Word(word string) { s.take().leaf.text(s.rep, word, false) }

// WordBytes adds one that is valid for the moment.
func (s *shredder) WordBytes(word []byte) { s.take().leaf.textBytes(s.rep, word) }

// Text adds a text that could act on a terminal.
func (s *shredder) Text(text string) { s.take().leaf.text(s.rep, text, true) }

// Record begins a record.
func (s *shredder) Record() { s.take() }

// List begins a list.
func (s *shredder) List(n int) {
	list := s.take()
	s.lists = append(s.lists, openList{list, s.rep})
	if n == 0 {
		list.kids[0].null(s.rep, list.def)
	}
}

// Item begins an item of the last list that was begun.
func (s *shredder) Item(i int) {
	list := s.lists[len(s.lists)-1]
	element := list.kids[0]
	if s.next = element.at; element.leaf == nil {
		s.next++
	}
	if i > 0 {
		s.rep = element.rep
	}
}

// End ends it.
func (s *shredder) End() {
	list := s.lists[len(s.lists)-1]
	s.lists = s.lists[:len(s.lists)-1]
	s.next, s.rep = list.end, list.outer
}

var _ schema.Visitor = (*shredder)(nil)
