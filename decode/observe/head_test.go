package observe

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// TestHead: each field is the one of the record that has its name, and a field XKnown
// says whether the record's head has X.
func TestHead(t *testing.T) {
	var w record.Write
	from := reflect.ValueOf(&w).Elem()
	for i := range from.NumField() {
		if f := from.Field(i); f.CanUint() {
			f.SetUint(uint64(i) + 1)
		}
	}
	w.Head = record.HeadSize
	var h Head
	h.fill(&w)
	head := reflect.ValueOf(h)
	for f, value := range head.Fields() {
		name, isKnown := strings.CutSuffix(f.Name, "Known")
		field := from.FieldByName(name)
		switch {
		case !field.IsValid():
			t.Errorf("no field %s in the record", name)
		case isKnown && !value.Bool():
			t.Errorf("%s is not known", name)
		case !isKnown && !reflect.DeepEqual(value.Interface(), field.Interface()):
			t.Errorf("%s is %v, want %v", name, value, field)
		}
	}
}
