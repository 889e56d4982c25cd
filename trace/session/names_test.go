package session

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// mounted is a Names that sees these mounts.
func mounted(mountinfo string) *Names {
	n := &Names{fd: -1}
	n.mounts.add(ext4fs.ParseTable(mountinfo), 0)
	return n
}

const onMnt = "26 22 8:0 / /mnt rw - ext4 /dev/sda rw\n"

// nameRecord is what the kernel's side sends of a file on 8:0; the last part comes first.
func nameRecord(ino uint64, generation, name uint32, flags uint16, parts string) []byte {
	n := record.Name{Dev: 8 << 20, Ino: ino, Generation: generation, Name: name, Flags: flags}
	return n.Append(nil, parts)
}

// writeTo is a write to a file through one of its names.
func writeTo(id, ino uint64, generation, name uint32) []byte {
	w := tracetest.SharedWrite(id)
	w.Ino, w.Generation, w.Name = ino, generation, name
	return w.Append(nil)
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		mounts string
		flags  uint16
		parts  string
		want   string
	}{
		{onMnt, 0, "file/folder/", "/mnt/folder/file"},
		{onMnt, record.NameDeleted, "file/", "/mnt/file (deleted)"},
		{onMnt, record.NameCut, "file/b/a/", ".../a/b/file"},
		{onMnt, record.NameCut | record.NameDeleted, "file/b/a/", ".../a/b/file (deleted)"},
		{onMnt, 0, "\x1b[2J\xff\\040/", "/mnt/\x1b[2J\xff\\040"},
		{"26 22 8:0 /folder /srv/x rw - ext4 /dev/sda rw\n", 0, "file/folder/", "/srv/x/file"},
		{"26 22 8:0 / / rw - ext4 /dev/sda rw\n", 0, "file/", "/file"},
	} {
		n := mounted(c.mounts)
		id, path, ok := n.Learn(nameRecord(12, 1, 2, c.flags, c.parts))
		if !ok || path != c.want || n.Path(id) != c.want || n.Path(record.NameID{FileID: id.FileID}) != c.want {
			t.Errorf("%q of %q is %q, want %q", c.parts, c.mounts, path, c.want)
		}
	}
	n := mounted("")
	if _, path, _ := n.Learn(nameRecord(12, 1, 2, 0, "file/a/")); path != "[8:0]/a/file" {
		t.Errorf("on a file system that is not mounted: %q", path)
	}
	if _, _, ok := n.Learn(tracetest.SharedWrite(1).Append(nil)); ok {
		t.Error("a write is a name")
	}
}

// A name stays known as long as it is asked for, and the memory is bounded.
func TestRecentNames(t *testing.T) {
	var r recent
	id := func(i int) record.NameID { return record.NameID{FileID: record.FileID{Ino: uint64(i)}, Name: 1} }
	r.put(id(0), "/hot")
	for i := range 5 * maxRecent {
		r.put(id(i+1), "/once")
		if r.get(id(0)) != "/hot" {
			t.Fatalf("lost after %d others", i+1)
		}
	}
	if n := len(r.young) + len(r.old); n > 2*maxRecent+2 || r.get(id(1)) != "" {
		t.Errorf("%d names are kept", n)
	}
}

// namedRows are the paths of rows.
type namedRows struct{ paths []string }

func (s *namedRows) Row(r *export.Row)           { s.paths = append(s.paths, r.Path) }
func (s *namedRows) Flush(*export.Summary) error { return nil }

// reused is the story of one inode number: named, deleted, given away twice, of which one
// name was lost, and a file that was open before.
var reused = [][]byte{
	nameRecord(13, 1, 10, 0, "first/"), writeTo(1, 13, 1, 10),
	nameRecord(13, 1, 11, record.NameDeleted, "first/"), writeTo(2, 13, 1, 11),
	nameRecord(13, 2, 20, 0, "second/"), writeTo(3, 13, 2, 20),
	nameRecord(13, 2, 21, 0, "third/"), writeTo(4, 13, 2, 21), writeTo(5, 13, 2, 20),
	writeTo(6, 13, 3, 30), writeTo(7, 13, 4, 0),
}

var reusedPaths = []string{"/mnt/first", "/mnt/first (deleted)", "/mnt/second", "/mnt/third", "/mnt/second", "", ""}

// TestReusedNumber: each row has the name of its own file at that moment, live and in the
// recording; a name that did not come is not known.
func TestReusedNumber(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	k := &Kernel{Facts: &probes.Facts{Release: "7.3.4"}, Plan: &probes.Plan{Mode: probes.HowSession}}
	tr, err := New(k, Options{Variant: "linux-7.3"})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	tr.names.mounts.add(ext4fs.ParseTable(onMnt), 0)
	live := &namedRows{}
	tr.Sink = live
	out, err := NewRecorder(RecorderOptions{Path: path}, &probes.Filter{})
	if err := errors.Join(err, tr.RecordTo(out, 0)); err != nil {
		t.Fatal(err)
	}
	run, err := tr.Start(t.Context(), &replaySource{raws: reused, n: len(reused)}, nil)
	if err := errors.Join(err, run.Wait()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(live.paths, reusedPaths) {
		t.Errorf("live: %q", live.paths)
	}
	if got := recordedPaths(t, path); !slices.Equal(got, reusedPaths) {
		t.Errorf("recorded: %q", got)
	}
	if s := &tr.Summary; s.Losses.Malformed != 0 || s.Totals.Writes != 7 {
		t.Errorf("%d writes, %d malformed", s.Totals.Writes, s.Losses.Malformed)
	}
}

// recordedPaths are the names of the writes in files.
func recordedPaths(t *testing.T, files ...string) []string {
	t.Helper()
	all, err := tracefile.OpenRecordings(files...)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d recordings, error %v", len(all), err)
	}
	defer all[0].Close()
	k, err := Recorded(all[0].Info())
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(&k, Options{Variant: "linux-7.3", Doubt: all[0].Doubt, Names: all[0]})
	if err != nil {
		t.Fatal(err)
	}
	rows := &namedRows{}
	tr.Sink = rows
	run, err := tr.Start(t.Context(), all[0], nil)
	if err := errors.Join(err, run.Wait()); err != nil {
		t.Fatal(err)
	}
	return rows.paths
}

// A name that is told again, as one that found the ring full, names the writes before it in
// the recording, too.
func TestLateName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecorder(t, RecorderOptions{Path: path})
	out.names.names.mounts.add(ext4fs.ParseTable(onMnt), 0)
	raws := [][]byte{writeTo(1, 13, 1, 10), nameRecord(13, 1, 10, 0, "file/"), writeTo(2, 13, 1, 10), nameRecord(13, 1, 10, 0, "file/"), writeTo(3, 13, 1, 10)}
	if _, err := recordFrom(t, out, &replaySource{raws: raws, n: len(raws)}); err != nil {
		t.Fatal(err)
	}
	if got, want := recordedPaths(t, path), []string{"/mnt/file", "/mnt/file", "/mnt/file"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The last part of a recording has the names of the files that are written to in it,
// although they were told of in one that is gone; and a recording that begins in the middle
// has those that were told of before.
func TestNamesOfBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecorder(t, RecorderOptions{Path: path, MaxSize: 64 << 10, Rotate: 1})
	names := out.names.names
	names.mounts.add(ext4fs.ParseTable(onMnt), 0)
	names.Learn(nameRecord(14, 1, 10, 0, "before/"))
	w := tracetest.SharedWrite(0)
	w.Generation, w.Name = 1, 10
	if _, err := recordFrom(t, out, &manySource{n: 60000, w: w}); err != nil {
		t.Fatal(err)
	}
	if out.parts < 3 {
		t.Fatalf("%d parts", out.parts)
	}
	for _, got := range recordedPaths(t, path) {
		if got != "/mnt/before" {
			t.Fatalf("the last part calls the file %q", got)
		}
	}
}

// File systems that are mounted while it is recorded are in the recording once they are
// written to, one after the other.
func TestLaterMounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.e4d")
	out := newTestRecorder(t, RecorderOptions{Path: path})
	names := out.names.names
	mount := func(mountinfo string) {
		names.mounts.add(ext4fs.ParseTable(mountinfo), 0)
		names.epoch++
	}
	add := func(raws ...[]byte) {
		t.Helper()
		b := newBatch()
		for _, raw := range raws {
			b.add(raw)
		}
		if err := out.batch(b, &reading{}); err != nil {
			t.Fatal(err)
		}
	}
	mount(onMnt)
	add(nameRecord(13, 1, 10, 0, "a/"), writeTo(1, 13, 1, 10), writeTo(2, 13, 1, 10))
	mount("26 22 8:0 / /mnt rw - ext4 /dev/sda rw\n27 22 8:16 / /unused rw - ext4 /dev/sdb rw\n")
	add(writeTo(3, 13, 1, 10))
	mount("26 22 8:0 / /elsewhere rw - ext4 /dev/sda rw,data=journal\n")
	add(nameRecord(13, 2, 20, 0, "a/"), writeTo(4, 13, 2, 20))
	mount("")
	add(writeTo(5, 13, 2, 20))
	if err := out.end(&reading{}); err != nil {
		t.Fatal(err)
	}
	all, err := tracefile.OpenRecordings(path)
	if err != nil {
		t.Fatal(err)
	}
	defer all[0].Close()
	var got []string
	for _, fs := range all[0].Info().FileSystems {
		if fs.Dev != "8:0" { // of the machine of the test
			continue
		}
		got = append(got, fmt.Sprint(fs.Dev, fs.Point, fs.SuperOptions, fs.Since > 0))
	}
	if want := []string{"8:0/mntrwtrue", "8:0/elsewhererw,data=journaltrue"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := recordedPaths(t, path), []string{"/mnt/a", "/mnt/a", "/mnt/a", "/elsewhere/a", "/elsewhere/a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// BenchmarkIdleNames is what names cost a batch in which nothing new came, after 100,000
// files that were written to once by programs that have ended.
func BenchmarkIdleNames(b *testing.B) {
	n := NewNames()
	defer n.Close()
	for i := range 100_000 {
		n.Learn(nameRecord(uint64(i), 1, uint32(i+1), 0, "file/"))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		n.Look()
	}
}
