package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile/tracetest"
)

// originals are the names in a recorded trace.
func originals(t *testing.T, path string) (out []string) {
	t.Helper()
	in, err := openTrace([]string{path}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	info := in.Info()
	for _, m := range info.FileSystems {
		out = append(out, m.Source, m.Point)
	}
	out = append(out, info.Command...)
	for {
		raw, err := in.Next()
		if errors.Is(err, record.ErrEnd) {
			break
		}
		var w record.Write
		if err != nil || record.ParseWrite(raw, &w) != nil {
			continue
		}
		comm, _, _ := bytes.Cut(w.Comm[:], []byte{0})
		out = append(out, string(comm))
		id, _ := record.FileOf(raw)
		path := in.Path(id)
		out = append(append(out, path), strings.Split(path, "/")...)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return len(s) < 4 || s == "ext4dio-trace" || s == "record" })
}

// written are the bytes of a file or of the files in a folder, unpacked, too, where they
// are packed.
func written(t *testing.T, path string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		all = append(append(all, p[len(path):]...), b...)
		return errors.Join(err, unpacked(&all, b))
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// unpacked appends what all frames of zstd in b hold.
func unpacked(to *[]byte, b []byte) error {
	magic := []byte{0x28, 0xb5, 0x2f, 0xfd}
	for i := bytes.Index(b, magic); i >= 0; {
		z, err := zstd.NewReader(bytes.NewReader(b[i:]), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(z) // it ends with the frames, whatever comes behind them
		z.Close()
		*to = append(*to, text...)
		next := bytes.Index(b[i+1:], magic)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return nil
}

// TestNoNameIsLeft: in no form in which a trace leaves redacted is a name of the original,
// not in what is packed, either; without the flag they are there.
func TestNoNameIsLeft(t *testing.T) {
	trace := filepath.Join("..", "..", "testdata", "traces", "linux-7.3.e4d")
	names := originals(t, trace)
	if len(names) < 10 {
		t.Fatalf("names %q", names)
	}
	key := filepath.Join(t.TempDir(), "key")
	for _, format := range formatNames(nil) {
		left := map[bool]int{}
		for _, redacted := range []bool{true, false} {
			flags := []string{"--format", format}
			if redacted {
				flags = append(flags, "--redact-key", key)
			}
			path, err := exported(t, trace, flags...)
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			text := written(t, path)
			for _, name := range names {
				if !bytes.Contains(text, []byte(name)) {
					continue
				}
				if left[redacted]++; redacted {
					t.Errorf("%s: %q is left", format, name)
				}
			}
		}
		if left[false] == 0 {
			t.Errorf("%s has no name in it, redacted or not", format)
		}
	}
}

// TestOneKeyOneToken: a trace that was copied with a key has the tokens of its rows that
// are exported with that key, and is judged as the original is.
func TestOneKeyOneToken(t *testing.T) {
	trace := filepath.Join("..", "..", "testdata", "traces", "patch4.e4d")
	key := filepath.Join(t.TempDir(), "key")
	copied, err := exported(t, trace, "--format", "e4d", "--redact-key", key)
	if err != nil {
		t.Fatal(err)
	}
	named := func(r *export.Row) string { return r.Comm + " " + r.Path }
	first := exportedRows(t, trace, "--redact-key", key)
	again, fromCopy := exportedRows(t, trace, "--redact-key", key), exportedRows(t, copied)
	other, plain := exportedRows(t, trace, "--redact"), exportedRows(t, trace)
	if len(first) < 200 || len(fromCopy) != len(first) {
		t.Fatalf("%d and %d writes", len(first), len(fromCopy))
	}
	for i, r := range first {
		if named(r) != named(again[i]) || named(r) != named(fromCopy[i]) || named(r) == named(other[i]) {
			t.Fatalf("write %d: %s, again %s, in the copy %s, with another key %s", i+1, named(r), named(again[i]), named(fromCopy[i]), named(other[i]))
		}
		if !reflect.DeepEqual(r.Waits, fromCopy[i].Waits) {
			t.Fatalf("write %d waited for %+v, in the copy for %+v", i+1, r.Waits, fromCopy[i].Waits)
		}
		fromCopy[i].Comm, fromCopy[i].Path, fromCopy[i].Waits = plain[i].Comm, plain[i].Path, plain[i].Waits
		if got, want := fromCopy[i].AppendJSON(nil), plain[i].AppendJSON(nil); !bytes.Equal(got, want) {
			t.Fatalf("the copy says\n%sthe original\n%s", got, want)
		}
	}
}

// TestHalfRedactedIsNothing: where a record cannot be redacted there is an error, and no
// output.
func TestHalfRedactedIsNothing(t *testing.T) {
	var file bytes.Buffer
	w, err := tracefile.NewWriter(&file, &tracefile.Info{Facts: []byte("{}"), Plan: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	longer := tracetest.SharedWrite(1) // of a later version, which may have put a name there
	longer.Head = record.HeadSize + 8
	if err := errors.Join(w.Append(longer.Append(nil), &record.Losses{}), w.Close(&record.Losses{})); err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "later.e4d")
	if err := os.WriteFile(trace, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	path, err := exported(t, trace, "--format", "e4d", "--redact")
	if err == nil || !strings.Contains(err.Error(), "cannot redact") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an output is left: %v", err)
	}
	if _, err := exported(t, trace, "--format", "e4d", "--redact", "--only", "unsafe"); err == nil || !strings.Contains(err.Error(), "nothing can be filtered away") {
		t.Errorf("%v", err)
	}
}
