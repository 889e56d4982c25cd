package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// inParts writes a trace once more as record --rotate does, in files of so many chunks.
func inParts(t *testing.T, path string, records int) (paths []string) {
	t.Helper()
	in, err := openTrace([]string{path}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	info, dir := *in.Info(), t.TempDir()
	create := func() *os.File {
		f, err := os.Create(filepath.Join(dir, string(rune('a'+len(paths)))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		paths = append(paths, f.Name())
		return f
	}
	w, err := tracefile.NewWriter(create(), &info)
	var l record.Losses
	for n := 1; err == nil; n++ {
		var raw []byte
		if raw, err = in.Next(); err != nil {
			break
		}
		if kind, _, _ := record.KindOf(raw); kind == record.KindWrite {
			l.Seen++
		}
		if err = w.Append(raw, &l); err == nil && n%records == 0 {
			w, err = w.Next(create(), &info, &l)
		}
	}
	if !errors.Is(err, record.ErrEnd) {
		t.Fatal(err)
	}
	if err := w.Close(&l); err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestSeqIsThatOfExplain: the seq of a row, whatever was filtered away, is the number by
// which explain finds it, also in a recording in several files and in the last of them.
func TestSeqIsThatOfExplain(t *testing.T) {
	parts := inParts(t, filepath.Join("..", "..", "testdata", "traces", "patch3.e4d"), 100)
	for _, files := range [][]string{parts, {parts[2], parts[0], parts[1]}, parts[1:], parts[2:]} {
		out := filepath.Join(t.TempDir(), "rows")
		root := newRootCmd()
		root.SetArgs(append([]string{"export", "--format", "jsonl", "-o", out, "--only", "exclusive"}, files...))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		n, last := 0, uint64(0)
		for line := range bytes.Lines(text) {
			row, err := export.ParseJSON(line)
			if err != nil {
				continue // of another kind
			}
			n, last = n+1, row.Seq.V
			in, err := openTrace(files, "", "")
			if err != nil {
				t.Fatal(err)
			}
			cmd := &cobra.Command{}
			cmd.SetContext(t.Context())
			found, _, err := findWrite(cmd, in, row.Seq.V)
			if err != nil || found == nil || !bytes.Equal(found.AppendJSON(nil), line) {
				t.Fatalf("write %d of %v:\n%serror %v, explained is %+v", row.Seq.V, files, line, err, found)
			}
			in.Close()
		}
		if n == 0 || uint64(n) >= last {
			t.Errorf("%v: %d rows, the last is write %d", files, n, last)
		}
	}
}
