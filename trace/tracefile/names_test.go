package tracefile

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/record"
)

func fileName(ino uint64, generation, name uint32) record.NameID {
	return record.NameID{FileID: record.FileID{Dev: 8 << 20, Ino: ino, Generation: generation}, Name: name}
}

// One inode number has many names: each file and each of its names has its own, and without
// the number of a name a file is what it was called last. So it is in a file and on a pipe.
func TestNamesOfOneNumber(t *testing.T) {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, &Info{})
	if err != nil {
		t.Fatal(err)
	}
	w.Name(fileName(13, 1, 10), "/first")
	w.Name(fileName(13, 2, 20), "/second")
	w.Name(fileName(13, 2, 21), "/third\x1b[0m\xff")
	if err := w.Mounts([]ext4fs.Mount{{Dev: "8:0", Point: "/later", Since: 7}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(&record.Losses{}); err != nil {
		t.Fatal(err)
	}
	file, err := openBytes(t, buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := NewReader(io.MultiReader(bytes.NewReader(buf.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	if _, missing := readAll(t, pipe); missing != nil {
		t.Error(missing)
	}
	for how, r := range map[string]*Reader{"file": file, "pipe": pipe} {
		for id, want := range map[record.NameID]string{
			fileName(13, 1, 10): "/first", fileName(13, 2, 20): "/second", fileName(13, 2, 21): "/third\x1b[0m\xff",
			fileName(13, 1, 0): "/first", fileName(13, 2, 0): "/third\x1b[0m\xff",
			fileName(13, 3, 0): "", fileName(13, 1, 20): "", fileName(13, 0, 0): "",
		} {
			if got := r.Path(id); got != want {
				t.Errorf("%s: %+v is %q, want %q", how, id, got, want)
			}
		}
		if got := r.Info().FileSystems; len(got) != 1 || got[0].Point != "/later" || got[0].Since != 7 {
			t.Errorf("%s: file systems %+v", how, got)
		}
	}
}

// Names of inodes, as earlier versions wrote them, are those of files without a generation.
func TestOldNames(t *testing.T) {
	var raw []byte
	for _, name := range []string{"/old", "/new"} {
		for _, n := range []uint64{8 << 20, 13, uint64(len(name))} {
			raw = binary.AppendUvarint(raw, n)
		}
		raw = append(raw, name...)
	}
	var n names
	if err := n.read(KindNames, raw); err != nil || n.paths[fileName(13, 0, 0)] != "/new" {
		t.Errorf("%v, error %v", n.paths, err)
	}
	if err := n.read(KindNames, raw[:len(raw)-1]); err == nil {
		t.Error("a name that is cut off is read")
	}
}

// The parts of a recording tell together what was mounted, each file system once.
func TestMountsOfParts(t *testing.T) {
	first, later := ext4fs.Mount{Dev: "8:0", Point: "/a"}, ext4fs.Mount{Dev: "8:0", Point: "/b", Since: 7}
	var files [2]bytes.Buffer
	info := &Info{ID: "a", FileSystems: []ext4fs.Mount{first}}
	w, err := NewWriter(&files[0], info)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Mounts([]ext4fs.Mount{later}); err != nil {
		t.Fatal(err)
	}
	info.FileSystems = append(info.FileSystems, later)
	if w, err = w.Next(&files[1], info, &record.Losses{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(&record.Losses{}); err != nil {
		t.Fatal(err)
	}
	for name, parts := range map[string][]*bytes.Buffer{"both": {&files[0], &files[1]}, "the second": {&files[1]}} {
		var all []*Recording
		for _, part := range parts {
			r, err := openBytes(t, part.Bytes())
			if err == nil {
				all, err = insert(all, r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		all[0].gatherMounts()
		var got []string
		for _, m := range all[0].Info().FileSystems {
			got = append(got, m.Point)
		}
		if !slices.Equal(got, []string{"/a", "/b"}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
