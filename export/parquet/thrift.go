package parquet

import "encoding/binary"

// thrift is a structure in Thrift's compact protocol, in which Parquet keeps what it
// says about itself. Fields are written in the order of their numbers.
type thrift struct {
	b    []byte
	last []int // number of the last field, for each structure that is open
}

// Types of fields in the compact protocol.
const (
	thriftTrue   = 1
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

func (t *thrift) field(id, typ int) {
	top := &t.last[len(t.last)-1]
	t.b = append(t.b, byte((id-*top)<<4|typ)) // no gap is wider than 15
	*top = id
}

func (t *thrift) zigzag(v int64) { t.b = binary.AppendUvarint(t.b, uint64(v<<1^v>>63)) }

func (t *thrift) i32(id int, v int32) {
	t.field(id, thriftI32)
	t.zigzag(int64(v))
}

func (t *thrift) i64(id int, v int64) {
	t.field(id, thriftI64)
	t.zigzag(v)
}

// yes is a boolean field that is true.
func (t *thrift) yes(id int) { t.field(id, thriftTrue) }

func (t *thrift) text(id int, s string) {
	t.field(id, thriftBinary)
	t.item(s)
}

// item is a text in a list.
func (t *thrift) item(s string) {
	t.b = binary.AppendUvarint(t.b, uint64(len(s)))
	t.b = append(t.b, s...)
}

// list begins a list of n items, which follow.
func (t *thrift) list(id, n, typ int) {
	t.field(id, thriftList)
	if n < 15 {
		t.b = append(t.b, byte(n<<4|typ))
		return
	}
	t.b = binary.AppendUvarint(append(t.b, byte(0xf0|typ)), uint64(n))
}

// open begins a structure that is a field; in a list, or as the outermost one, it has
// the number 0.
func (t *thrift) open(id int) {
	if id > 0 {
		t.field(id, thriftStruct)
	}
	t.last = append(t.last, 0)
}

func (t *thrift) close() {
	t.b = append(t.b, 0)
	t.last = t.last[:len(t.last)-1]
}
