package tracefile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Reading can go on with any chunk of any part, also behind the end and after Stop, and
// says where it is.
func TestPlaces(t *testing.T) {
	var l record.Losses
	info := &Info{ID: "places"}
	var paths []string
	var w *Writer
	for part := range 3 {
		f, err := os.Create(filepath.Join(t.TempDir(), "part"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		paths = append(paths, f.Name())
		if w == nil {
			w, err = NewWriter(f, info)
		} else {
			w, err = w.Next(f, info, &l)
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(6) {
			rec := record.Write{ID: uint64(part)*6 + i, T0: 1}
			if err := w.Append(rec.Append(nil), &l); err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 {
				if err := w.Flush(&l); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := w.Close(&l); err != nil {
		t.Fatal(err)
	}
	all, err := OpenRecordings(paths...)
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	c := all[0]
	defer c.Close()
	// Each part is its description, three chunks of two records, one that has only the
	// losses where another part follows, and its end.
	if c.Places() != 17 || c.SeekPlace(17) == nil || c.SeekPlace(-1) == nil {
		t.Fatalf("%d places", c.Places())
	}
	for _, from := range []int{0, 7, 16, 1, 3, 15, 4, 5, 6} {
		if err := c.SeekPlace(from); err != nil {
			t.Fatal(err)
		}
		for id := uint64(0); id < 18; id++ {
			place := int(id/6)*6 + 1 + int(id%6)/2
			if place < from {
				continue
			}
			raw, err := c.Next()
			var w record.Write
			if err != nil || record.ParseWrite(raw, &w) != nil || w.ID != id || c.Place() != place {
				t.Fatalf("from place %d: write %d in place %d, want %d in %d: %v", from, w.ID, c.Place(), id, place, err)
			}
		}
		if _, err := c.Next(); !errors.Is(err, record.ErrEnd) || c.Missing() != nil {
			t.Fatalf("from place %d: %v at the end, missing %v", from, err, c.Missing())
		}
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// What comes on a pipe has no places.
func TestNoPlaces(t *testing.T) {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err == nil {
		err = w.Close(&record.Losses{})
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if c := NewRecording(r); c.Places() != 0 || c.Place() != 0 || c.SeekPlace(0) == nil {
		t.Error("it has places")
	}
}

// Whoever stops inside a chunk has seen all writes that were there until then.
func TestSeenInside(t *testing.T) {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err != nil {
		t.Fatal(err)
	}
	var l record.Losses
	l.Seen, l.LostRing = 12, 2
	for i := range uint64(10) {
		rec := record.Write{ID: i, T0: 1}
		if err := w.Append(rec.Append(nil), &l); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(&l); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(10) {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got, _ := r.Losses(); got.Seen != 3+i || got.LostRing != 2 {
			t.Errorf("after %d writes: %+v", i+1, got)
		}
	}
}
