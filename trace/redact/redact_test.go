package redact

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// kept are the fields of an Info that no name is in: those of the kernel, of this program,
// and numbers.
var kept = []string{"ID", "Tool", "Release", "Build", "Arch", "Variant", "Facts", "Plan", "FileSystems.Dev", "FileSystems.Features"}

// fill puts a secret into each text of a value, and returns how many there are.
func fill(v reflect.Value, path string) (n int) {
	for _, k := range kept {
		if path == k {
			return 0
		}
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("/SECRET/" + path)
		return 1
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			return fill(v.Index(0), path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				n += fill(v.Field(i), strings.TrimPrefix(path+"."+f.Name, "."))
			}
		}
	}
	return n
}

// TestInfo: whatever text an Info has, now or in a later version, is taken out of it, but
// for those that are known to hold no name.
func TestInfo(t *testing.T) {
	var info tracefile.Info
	if n := fill(reflect.ValueOf(&info).Elem(), ""); n < 8 {
		t.Fatalf("%d texts were filled", n)
	}
	info.FileSystems[0].SuperOptions = "rw,errors=remount-ro,stripe=16,journal_path=/SECRET/dev,data=ordered,context=a:SECRET,SECRET:b"
	out, err := New().Info(&info)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "SECRET") {
		t.Errorf("a name is left in %s", text)
	}
	if o := out.FileSystems[0].SuperOptions; !strings.HasPrefix(o, "rw,errors=remount-ro,stripe=16,journal_path=value-") || !strings.Contains(o, ",data=ordered,") {
		t.Errorf("options %s", o)
	}
	info.Host, info.Facts = "db-host", []byte(`{"why":"db-host"}`)
	if _, err := New().Info(&info); err == nil {
		t.Error("facts with the name of the host are taken")
	}
}

// TestTokens: with one key the same name has the same token, folders stay folders, and
// another key has others. The key is for its owner only.
func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	var made [2]*Redactor
	for i := range made {
		var err error
		if made[i], err = FromFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	a, b := made[0], made[1]
	if a.Comm("mysqld") != b.Comm("mysqld") || a.Name("/data/db/t") != b.Name("/data/db/t") {
		t.Error("one key makes two tokens")
	}
	if other := New(); other.Comm("mysqld") == a.Comm("mysqld") || a.Comm("mysqld") == a.Comm("mysql") {
		t.Error("two names, or two keys, make one token")
	}
	folder := func(p string) string { return p[:strings.LastIndexByte(p, '/')] }
	if x, y := a.Name("/data/db/t"), a.Name("/data/db/u (deleted)"); folder(x) != folder(y) || !strings.HasSuffix(y, " (deleted)") || a.Name("/") != "/" || a.Name("") != "" {
		t.Errorf("%s %s %s", x, y, a.Name("/"))
	}
	if n := len(a.Comm("a name that is longer than a comm")); n > commSize-1 {
		t.Errorf("a token of %d bytes does not fit into a record", n)
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := FromFile(path); err == nil || !strings.Contains(err.Error(), "is no key for tokens") {
		t.Errorf("%v", err)
	}
}

// TestRecord: the name of the thread is taken out of a write, and nothing else; what is not
// known is refused.
func TestRecord(t *testing.T) {
	r, w := New(), tracetest.SharedWrite(1)
	w.Comm = [16]byte{'s', 'e', 'c', 'r', 'e', 't', 0, 'r', 'e', 's', 't'}
	raw := w.Append(nil)
	before := string(raw)
	out, err := r.Record(raw)
	var got record.Write
	if err == nil {
		err = record.ParseWrite(out, &got)
	}
	if err != nil || string(raw) != before {
		t.Fatalf("%v, and the record was changed: %v", err, string(raw) != before)
	}
	if s := string(out); strings.Contains(s, "secret") || strings.Contains(s, "rest") || !strings.Contains(s, r.Comm("secret")+"\x00") {
		t.Errorf("%q", got.Comm)
	}
	var want record.Write
	if err := record.ParseWrite(raw, &want); err != nil {
		t.Fatal(err)
	}
	if got.Comm = want.Comm; !reflect.DeepEqual(got, want) {
		t.Error("more than the name was changed")
	}
	done := (&record.Complete{ID: 1}).Append(nil)
	if _, err := r.Record(done); err != nil {
		t.Error(err)
	}
	unknown := append([]byte{99, 0}, done[2:]...)
	for what, raw := range map[string][]byte{"a kind": unknown, "a longer completion": append(done, 's'), "half a write": raw[:40], "a longer write": append(slices.Clone(raw), 's'), "nothing": nil} {
		if out, err := r.Record(raw); err == nil {
			t.Errorf("%s is taken: %q", what, out)
		}
	}
}

// A budget is numbers only: it is handed on as it is.
func TestBudgetIsHandedOn(t *testing.T) {
	raw := (&record.Budget{ID: 7, Total: 100, Rest: 100}).Append(nil)
	got, err := New().Record(raw)
	if err != nil || !bytes.Equal(got, raw) {
		t.Errorf("%x, %v, want %x", got, err, raw)
	}
	if _, err := New().Record(append(raw, 1)); err == nil {
		t.Error("a longer one is handed on, of which not all is known")
	}
}
