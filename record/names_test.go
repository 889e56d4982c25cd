package record

import (
	"errors"
	"testing"
)

func TestNameRoundTrip(t *testing.T) {
	want := Name{Name: 1 << 31, Ino: 1 << 40, Dev: 8 << 20, Generation: 1<<32 - 1, Flags: NameDeleted | NameCut, Len: 12}
	raw := want.Append(nil, "file/folder/")
	var got Name
	path, err := ParseName(append(raw, "what follows"...), &got)
	if err != nil || got != want || string(path) != "file/folder/" {
		t.Errorf("got %+v, %q, error %v", got, path, err)
	}
	if id := got.ID(); id.Ino != want.Ino || id.Generation != want.Generation || id.Name != want.Name || id.Dev != want.Dev {
		t.Errorf("id %+v", id)
	}
	for n := range raw {
		if _, err := ParseName(raw[:n], &got); !errors.Is(err, ErrShort) {
			t.Fatalf("%d bytes of it: %v", n, err)
		}
	}
	raw[AtNameLen]++
	if _, err := ParseName(raw, &got); !errors.Is(err, ErrShort) {
		t.Errorf("a path longer than the record: %v", err)
	}
	if _, err := ParseName(sample().Append(nil), &got); !errors.Is(err, ErrKind) {
		t.Errorf("a write is a name: %v", err)
	}
}

// An old head has neither generation nor name, and says so.
func TestOldHeadHasNoName(t *testing.T) {
	w := sample()
	if id, _ := FileOf(w.Append(nil)); id.Generation != w.Generation || id.Name != w.Name || !w.HasName() {
		t.Errorf("%+v of a head with both", id)
	}
	w.Head = FirstHead
	if id, ok := FileOf(w.Append(nil)); !ok || id != (NameID{FileID: FileID{Dev: w.Dev, Ino: w.Ino}}) || w.HasName() {
		t.Errorf("%+v of an old head", id)
	}
}
