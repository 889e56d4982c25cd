package record

import (
	"encoding/binary"
	"reflect"
)

//go:generate go run ../internal/recordgen

// Field is one field of a record, as the C compiler laid it out.
type Field struct {
	Struct    string // of bpf/record.h
	Name      string // in C
	Go        string // in the Go struct; "" for what says how to read, and for padding
	At, Width int    // bytes
	Meaning   string // in words
}

// FieldsOf lists the fields of one struct of bpf/record.h.
func FieldsOf(name string) []Field {
	from := 0
	for from < len(Fields) && Fields[from].Struct != name {
		from++
	}
	to := from
	for to < len(Fields) && Fields[to].Struct == name {
		to++
	}
	return Fields[from:to]
}

var headFields, stepFields, completeFields = FieldsOf("write_rec"), FieldsOf("step"), FieldsOf("complete_rec")

// put writes a Go struct to raw as its table says; the fields of both are in the same
// order. It is for tests and for what is rare: nothing that runs for every record.
func put(raw []byte, table []Field, from any) {
	v, next := reflect.ValueOf(from).Elem(), 0
	for i := range table {
		f := &table[i]
		if f.Go == "" {
			continue
		}
		to, field := raw[f.At:f.At+f.Width], v.Field(next)
		next++
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
