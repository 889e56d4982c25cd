package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// reported runs report with an output of this name.
func reported(t *testing.T, trace, name string, flags ...string) (path string, err error) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	root := newRootCmd()
	root.SetArgs(append([]string{"report", trace, "-o", path}, flags...))
	return path, root.ExecuteContext(t.Context())
}

// Judged as 7.2, most writes of this trace are wrong.
const wrongTrace = "../../testdata/traces/linux-7.3.e4d"

var asOld = []string{"--variant", "linux-7.2"}

func TestReportForms(t *testing.T) {
	for _, name := range []string{"r.html", "r.txt"} {
		path, err := reported(t, wrongTrace, name, asOld...)
		if asExit(err).Code != exit.Disagree {
			t.Fatalf("%s: %v", name, err)
		}
		text := readFile(t, path)
		for _, want := range []string{"R9", "differs", "lookup missing", "xfs_io -d -c", "kernel", "Linux 7.3"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
	}
}

// TestReportBundle: the archive holds what it says, and a redacted one no name.
func TestReportBundle(t *testing.T) {
	for _, redact := range []bool{false, true} {
		flags := slices.Clone(asOld)
		if redact {
			flags = append(flags, "--redact")
		}
		path, err := reported(t, wrongTrace, "bug.tar.zst", flags...)
		if asExit(err).Code != exit.Disagree {
			t.Fatal(err)
		}
		files := unpack(t, path)
		for _, name := range []string{"bug/report.html", "bug/report.txt", "bug/repeat-1.sh", "bug/SHA256SUMS"} {
			if files[name] == nil {
				t.Errorf("%s is missing", name)
			}
		}
		if trace := files["bug/trace-1.e4d"]; redact != (trace == nil) || !redact && string(trace) != readFile(t, wrongTrace) {
			t.Errorf("redact %v: the trace has %d bytes", redact, len(trace))
		}
		for line := range strings.Lines(string(files["bug/SHA256SUMS"])) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			if fmt.Sprintf("%x", sha256.Sum256(files["bug/"+name])) != sum {
				t.Errorf("checksum of %s", name)
			}
		}
		for name, b := range files {
			if redact && (bytes.Contains(b, []byte("e4d-writer")) || bytes.Contains(b, []byte("workload"))) {
				t.Errorf("a name is left in %s", name)
			}
		}
	}
}

func unpack(t *testing.T, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer zip.Close()
	out := map[string][]byte{}
	for archive := tar.NewReader(zip); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if out[h.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReportFolder: the same files, and none that is half written.
func TestReportFolder(t *testing.T) {
	dir, err := reported(t, wrongTrace, "bug", asOld...)
	if asExit(err).Code != exit.Disagree {
		t.Fatal(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		if !strings.HasPrefix(e.Name(), "repeat-") {
			names = append(names, e.Name())
		}
	}
	if got := strings.Join(names, " "); got != "SHA256SUMS report.html report.txt trace-1.e4d" {
		t.Errorf("%s", got)
	}
}

func TestReportRefuses(t *testing.T) {
	trace := makeTrace(t, 3)
	for name, args := range map[string][]string{
		"which is read": {"-o", trace}, `variant "x"`: {"--variant", "x"}, "is no folder": {"-o", "report.go"},
		"the folder /nonexistent is not there": {"-o", "/nonexistent/x.html"},
	} {
		root := newRootCmd()
		root.SetArgs(append([]string{"report", trace}, args...))
		if err := root.ExecuteContext(t.Context()); asExit(err).Code != exit.Usage || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestExportRealTraces: every format is made of every trace of a real kernel.
func TestExportRealTraces(t *testing.T) {
	traces, err := filepath.Glob("../../testdata/traces/*.e4d")
	if err != nil || len(traces) < 5 {
		t.Fatalf("%v %v", traces, err)
	}
	for _, trace := range traces {
		rows := len(exportedRows(t, trace))
		if rows == 0 {
			t.Errorf("%s has no writes", trace)
		}
		path, err := exported(t, trace, "--format", "xfsio")
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(readFile(t, path), "\n# Write "); n != rows {
			t.Errorf("%s: %d of %d writes are repeated", trace, n, rows)
		}
		for _, format := range []string{"csv", "parquet", "perfetto", "fio"} {
			if _, err := exported(t, trace, "--format", format); err != nil {
				t.Errorf("%s: %s: %v", trace, format, err)
			}
		}
	}
}
