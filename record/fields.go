package record

import (
	"encoding/binary"
	"fmt"
	"reflect"
)

//go:generate go run ../internal/recordgen

// Field is one field of a record: where it lies, and which field of the Go struct it is.
// The tags of the structs in fields_gen.go are the table of them.
type Field struct {
	Go        string
	At, Width int // bytes
}

// Fields lists the fields of Write, Step, Complete, Name, Hold, Budget or Counters that are in its record.
func Fields[T Write | Step | Complete | Name | Hold | Budget | Counters]() []Field {
	var out []Field
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		field := Field{Go: f.Name}
		if _, err := fmt.Sscanf(f.Tag.Get("wire"), "%d,%d", &field.At, &field.Width); err == nil {
			out = append(out, field)
		}
	}
	return out
}

var (
	headFields, stepFields, completeFields = Fields[Write](), Fields[Step](), Fields[Complete]()
	nameFields, holdFields, budgetFields   = Fields[Name](), Fields[Hold](), Fields[Budget]()
)

// put writes a Go struct to raw; its fields are in the order of the table. It is for
// tests and for what is rare: nothing that runs for every record.
func put(raw []byte, table []Field, from any) {
	v := reflect.ValueOf(from).Elem()
	for i, f := range table {
		to, field := raw[f.At:f.At+f.Width], v.Field(i)
		var number [8]byte
		switch {
		case field.Kind() == reflect.Array:
			reflect.Copy(reflect.ValueOf(to), field)
			continue
		case field.CanInt():
			binary.LittleEndian.PutUint64(number[:], uint64(field.Int()))
		default:
			binary.LittleEndian.PutUint64(number[:], field.Uint())
		}
		copy(to, number[:])
	}
}
