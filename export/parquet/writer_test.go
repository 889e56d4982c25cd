package parquet

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode"

	pq "github.com/parquet-go/parquet-go"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/export/schema"
)

var keepFile = flag.String("keep", "", "keep the file of TestWriter here, to look at it with other programs")

func sampleRows() []export.Row {
	rows := append(exporttest.Rows(), exporttest.Full())
	for _, name := range exporttest.Hostile {
		r := rows[0].Clone()
		r.Comm, r.Path = name, "/mnt/"+name
		rows = append(rows, r)
	}
	return rows
}

// TestWriter reads the file back and compares every field with the JSON of its row.
func TestWriter(t *testing.T) {
	rows := sampleRows()
	var file bytes.Buffer
	w := New(&file, map[string]string{"kernel": "7.3.4\x1b[2J"})
	for range 20 {
		for i := range rows {
			if err := w.Write(&rows[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if *keepFile != "" {
		if err := os.WriteFile(*keepFile, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := pq.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := f.Lookup("kernel"); got != `7.3.4\x1b[2J` {
		t.Errorf("metadata %q", got)
	}
	n := readRows(t, file.Bytes(), func(i int, got reflect.Value) { compare(t, got, &rows[i%len(rows)]) })
	if n != 20*len(rows) {
		t.Fatalf("%d rows", n)
	}
}

// structOf is a Go type from which parquet-go makes the columns that fields should have.
func structOf(fields []*schema.About) reflect.Type {
	var out []reflect.StructField
	for _, f := range fields {
		typ, options := reflect.TypeFor[string](), ""
		switch f.Type {
		case schema.TypeInt32:
			typ = reflect.TypeFor[int32]()
		case schema.TypeInt64:
			typ = reflect.TypeFor[int64]()
		case schema.TypeBool:
			typ = reflect.TypeFor[bool]()
		case schema.TypeFlags, schema.TypeTexts:
			typ, options = reflect.TypeFor[[]string](), ",list"
		case schema.TypeRecord:
			typ = structOf(f.Kids)
		case schema.TypeList:
			typ, options = reflect.SliceOf(structOf(f.Kids)), ",list"
		}
		if f.Null {
			options = ",optional" + options
			if typ.Kind() != reflect.Slice {
				typ = reflect.PointerTo(typ)
			}
		}
		out = append(out, reflect.StructField{Name: "F_" + f.Name, Type: typ, Tag: reflect.StructTag(`parquet:"` + f.Name + options + `"`)})
	}
	return reflect.StructOf(out)
}

// readRows calls f with each row of a file.
func readRows(t *testing.T, file []byte, f func(i int, row reflect.Value)) int {
	t.Helper()
	row := reflect.New(structOf(export.Fields.About()))
	in := pq.NewReader(bytes.NewReader(file), pq.SchemaOf(row.Interface()))
	defer in.Close()
	for i := 0; ; i++ {
		row.Elem().SetZero()
		err := in.Read(row.Interface())
		if errors.Is(err, io.EOF) {
			return i
		}
		if err != nil {
			t.Fatal(err)
		}
		f(i, row.Elem())
	}
}

func compare(t *testing.T, got reflect.Value, r *export.Row) {
	t.Helper()
	var want map[string]any
	dec := json.NewDecoder(bytes.NewReader(r.AppendJSON(nil)))
	dec.UseNumber()
	if err := dec.Decode(&want); err != nil {
		t.Fatal(err)
	}
	want["comm"], want["path"] = export.Safe(r.Comm), nil
	if r.Path != "" {
		want["path"] = export.Safe(r.Path)
	}
	have := jsonOf(got, "").(map[string]any)
	for _, name := range []string{"comm", "path"} {
		if s, _ := have[name].(string); strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q can act on a terminal", s)
		}
	}
	for name, v := range want {
		if !reflect.DeepEqual(have[name], v) {
			t.Errorf("%s is %v, not %v", name, have[name], v)
		}
		delete(have, name)
	}
	if len(have) > 0 {
		t.Errorf("more columns than fields: %v", have)
	}
}

// jsonOf turns a value of the file into what package json makes of the same.
func jsonOf(v reflect.Value, tag string) any {
	switch v.Kind() {
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag.Get("parquet")
			name, _, _ := strings.Cut(tag, ",")
			out[name] = jsonOf(v.Field(i), tag)
		}
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return jsonOf(v.Elem(), "")
	case reflect.Slice:
		if v.IsNil() && strings.Contains(tag, "optional") {
			return nil
		}
		out := []any{}
		for i := range v.Len() {
			out = append(out, jsonOf(v.Index(i), ""))
		}
		return out
	case reflect.Int32, reflect.Int64:
		b, _ := json.Marshal(v.Int())
		return json.Number(b)
	}
	return v.Interface()
}

type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestWriterFails(t *testing.T) {
	for _, room := range []int{0, 1000, 20000} {
		w := New(&full{room}, nil)
		rows := sampleRows()
		var failed error
		for i := 0; i < 2*groupRows && failed == nil; i++ {
			failed = w.Write(&rows[i%len(rows)])
		}
		if err := errors.Join(failed, w.Close()); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
}

// TestEmpty: a trace without writes is a file with columns and no rows.
func TestEmpty(t *testing.T) {
	var file bytes.Buffer
	if err := New(&file, nil).Close(); err != nil {
		t.Fatal(err)
	}
	f, err := pq.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || f.NumRows() != 0 || len(f.Schema().Fields()) != len(export.Fields) {
		t.Errorf("%v: %v", err, f)
	}
}

func BenchmarkParquet(b *testing.B) {
	s := exporttest.Samples()[1]
	m := export.Maker{Names: exporttest.Paths{}}
	var r export.Row
	w := New(io.Discard, nil)
	b.ReportAllocs()
	for b.Loop() {
		m.Fill(&r, s.Obs, s.Ver)
		if err := w.Write(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
