package xfsio

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// fstest is what a test of rows is, and what it is to print.
func fstest(t *testing.T, rows ...export.Row) (script, golden string) {
	t.Helper()
	files := map[string]*bytes.Buffer{}
	w := FstestsFormat.New(export.Target{About: []string{"kernel 7.3.4 $(touch owned)\ntouch owned"}, Create: func(name string) (io.WriteCloser, error) {
		files[name] = &bytes.Buffer{}
		return nopCloser{files[name]}, nil
	}})
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Fatalf("%d files", len(files))
	}
	path := filepath.Join(t.TempDir(), "901")
	if err := os.WriteFile(path, files["901"].Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("bash", "-n", path).CombinedOutput(); err != nil {
		t.Errorf("bash -n: %v\n%s", err, out)
	}
	return files["901"].String(), files["901.out"].String()
}

// A write that a right kernel may refuse is made once more at the end, one that failed is not made, and
// of a large file the written blocks are printed.
func TestFstests(t *testing.T) {
	const nosec = record.PassNosec
	refused := row(observe.Observation{
		Ret: -11, Flags: model.IocbNowait, Passes: pass(512, 10240, 65536, nosec, observe.Lookup{Len: 3, Ret: 1, MFlags: model.MapMapped}),
	}, nil)
	failed := row(observe.Observation{Ret: -22, Lock: record.LockShared, Passes: pass(8192, 100, 65536, nosec)}, nil)
	wrong := row(observe.Observation{
		Lock: record.LockExclusive, Ret: 4096, Passes: pass(1<<40, 4096, 1<<40+8192, nosec),
		Mappings: []observe.Mapping{{Offset: 1 << 40, Length: 4096, Type: model.IomapMapped}},
	}, &judge.Verdict{Kind: judge.Slower, Variant: model.Linux73, Reason: "aligned", Diffs: []judge.Diff{{Field: judge.FieldLock, Seen: "exclusive", Want: "shared"}}})
	wrong.Ino = 21
	script, golden := fstest(t, refused, failed, wrong)
	testkit.Golden(t, "fstests.txt", script+"----\n"+golden)
}

// No name of the traced system becomes a word of a command, and no write is left out without a word.
func TestFstestsHostile(t *testing.T) {
	rows := exporttest.Rows()
	for i, name := range exporttest.Hostile {
		r := rows[0].Clone()
		r.Comm, r.Path, r.Ino = name, name, uint64(1000+i)
		r.Incomplete, r.Reason, r.Why, r.Missing, r.Variant = name, name, []string{name, name}, name, name
		rows = append(rows, r)
	}
	script, _ := fstest(t, rows...)
	if i := strings.IndexFunc(script, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("a control character: %q", script[max(i-20, 0):i+20])
	}
	for line := range strings.Lines(script) {
		if !strings.HasPrefix(line, "#") && strings.Contains(line, "owned") {
			t.Errorf("a name is in a command: %s", line)
		}
	}
	one := row(observe.Observation{Ret: 512, Lock: record.LockShared, Passes: pass(0, 512, 4096, record.PassNosec)}, nil)
	many := make([]export.Row, maxTestWrites+3)
	for i := range many {
		many[i] = one
	}
	if script, _ := fstest(t, many...); !strings.Contains(script, "because this test has 1000 already: 3\n") {
		t.Error("writes are left out without a word")
	}
}
