package parquet

import "github.com/parquet-go/parquet-go/encoding/thrift"

// The structures of parquet.thrift that are written, with those of their fields that are.
// A field without "required" or "writezero" is left out where it is zero.

type fileMetaData struct {
	Version      int32           `thrift:"1,required"`
	Schema       []schemaElement `thrift:"2,required"`
	Rows         int64           `thrift:"3,required"`
	Groups       []rowGroup      `thrift:"4,required"`
	About        []keyValue      `thrift:"5"`
	CreatedBy    string          `thrift:"6,required"`
	ColumnOrders []columnOrder   `thrift:"7,required"`
}

type keyValue struct {
	Key   string `thrift:"1,required"`
	Value string `thrift:"2,required"`
}

// columnOrder is a union with one member.
type columnOrder struct {
	OfType struct{} `thrift:"1,writezero"`
}

type schemaElement struct {
	Type       *physical    `thrift:"1"` // of a leaf
	Repetition int32        `thrift:"3,required"`
	Name       string       `thrift:"4,required"`
	Kids       int32        `thrift:"5"`
	Converted  *int32       `thrift:"6"`
	Logical    *logicalType `thrift:"10"`
}

// logicalType is a union of empty structures.
type logicalType struct {
	String *struct{} `thrift:"1"`
	List   *struct{} `thrift:"3"`
}

type rowGroup struct {
	Columns []columnChunk `thrift:"1,required"`
	Bytes   int64         `thrift:"2,required"`
	Rows    int64         `thrift:"3,required"`
}

type columnChunk struct {
	At   int64          `thrift:"2,required"`
	Meta columnMetaData `thrift:"3,required"`
}

type columnMetaData struct {
	Type       physical   `thrift:"1,required"`
	Encodings  []int32    `thrift:"2,required"`
	Path       []string   `thrift:"3,required"`
	Codec      int32      `thrift:"4,required"`
	Values     int64      `thrift:"5,required"`
	Plain      int64      `thrift:"6,required"` // bytes, headers included
	Packed     int64      `thrift:"7,required"`
	DataAt     int64      `thrift:"9,required"`
	DictAt     int64      `thrift:"11"`
	Statistics statistics `thrift:"12,required"`
}

// statistics is what a reader needs to know to leave a column chunk out.
type statistics struct {
	Nulls      int64  `thrift:"3,required"` // entries without a value; an empty list is one, too
	Most       []byte `thrift:"5"`          // in the plain encoding; nil when not known
	Least      []byte `thrift:"6"`
	MostExact  bool   `thrift:"7"` // it is a value that is there
	LeastExact bool   `thrift:"8"`
}

type pageHeader struct {
	Type       int32       `thrift:"1,required"`
	Plain      int32       `thrift:"2,required"` // bytes
	Packed     int32       `thrift:"3,required"`
	Data       *dataHeader `thrift:"5"`
	Dictionary *dictHeader `thrift:"7"`
}

type dataHeader struct {
	Values    int32 `thrift:"1,required"`
	Encoding  int32 `thrift:"2,required"`
	DefLevels int32 `thrift:"3,required"` // encodings
	RepLevels int32 `thrift:"4,required"`
}

type dictHeader struct {
	Values   int32 `thrift:"1,required"`
	Encoding int32 `thrift:"2,required"`
}

// compact is v in Thrift's compact protocol, in which Parquet keeps what it says about
// itself.
func compact(v any) []byte {
	b, _ := thrift.Marshal(new(thrift.CompactProtocol), v) // writing to memory has no errors
	return b
}
