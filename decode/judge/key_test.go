package judge

import (
	"reflect"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// unread are the fields of an Observation that no judgement on it alone reads.
var unread = map[string]bool{
	"Time": true, "ID": true, "Pid": true, "Tid": true, "Comm": true, "Dev": true, "Ino": true, "NrSegs": true,
	"GlobalPid": true, "GlobalTid": true, "Foreign": true, "ForeignKnown": true,
	"FmodKnown": true, "WaitNs": true, "LockNs": true, "LatencyNs": true, "SubmitNs": true, "LostBefore": true, "Depth": true,
	"Request": true, "Try": true, "RequestBegan": true,
	"Drain.Count": true, "Drain.Waited": true, "Drain.Ns": true,
	"Generation": true, "GenerationKnown": true, "Name": true,
	"Waits": true, "Budget": true, "Passes.AtUs": true, "Mappings.AtUs": true, "Zeroed.AtUs": true,
	"PosAfter": true, "PosWanted": true, // of no use without Unmoved, which no key holds
	"Inside": true, "InsideAt": true, "InsideNs": true, // such a write is Incomplete
}

// TestKeyHoldsAll: a key changes with every field of an Observation but those that are
// listed, so that a field that is added later is not forgotten.
func TestKeyHoldsAll(t *testing.T) {
	lookups := []observe.Lookup{{Lblk: 2, Len: 1, Ret: 1}, {Lblk: 4, Len: 1, Ret: 1}}
	pass := observe.Pass{Pos: 8192, Count: 8192, ISize: 16000, IDisksize: 15000, Lookups: lookups}
	o := &observe.Observation{
		Blkbits: 12, Pos0: 8192, Len0: 8192, ISize0: 16000, Drain: &observe.Drain{},
		Passes:   []observe.Pass{pass, pass},
		Mappings: []observe.Mapping{{Offset: 8192, Length: 4096}, {Err: -11}},
		Zeroed:   []observe.Zeroed{{Pos: 8192, Len: 1}},
	}
	var before key
	if !before.fill(o) {
		t.Fatal("no key")
	}
	seen := map[string]bool{}
	checkField := func(name string) {
		seen[name] = true
		var after key
		held := !after.fill(o) || !after.equal(&before.same, before.facts())
		if held == unread[name] {
			t.Errorf("%s: in the key %v, want %v", name, held, !unread[name])
		}
	}
	var walk func(name string, f reflect.Value)
	walk = func(name string, f reflect.Value) {
		old := reflect.New(f.Type()).Elem()
		old.Set(f)
		switch f.Kind() {
		case reflect.Struct:
			for i := range f.NumField() {
				if field := f.Type().Field(i); field.IsExported() {
					sub := field.Name
					if name != "" {
						sub = name + "." + sub
					}
					walk(sub, f.Field(i))
				}
			}
			return
		case reflect.Slice:
			f.Set(reflect.Append(f, reflect.New(f.Type().Elem()).Elem()))
			checkField(name)
			f.Set(old)
			for i := range f.Len() {
				// Lookups are shared by the passes: copy before changing.
				item := reflect.New(f.Type().Elem()).Elem()
				item.Set(f.Index(i))
				list := reflect.MakeSlice(f.Type(), f.Len(), f.Len())
				reflect.Copy(list, f)
				f.Set(list)
				walk(name, f.Index(i))
				f.Set(old)
			}
			return
		case reflect.Pointer:
			if f.IsNil() {
				f.Set(reflect.New(f.Type().Elem()))
			} else {
				walk(name, f.Elem())
				f.SetZero()
			}
		case reflect.String:
			f.SetString("changed")
		case reflect.Bool:
			f.SetBool(!f.Bool())
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			f.SetInt(f.Int() + 1)
		default:
			f.SetUint(f.Uint() + 1)
		}
		checkField(name)
		f.Set(old)
	}
	walk("", reflect.ValueOf(o).Elem())
	for name := range unread {
		if !seen[name] {
			t.Errorf("no field %s", name)
		}
	}
}
