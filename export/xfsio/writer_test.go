package xfsio

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

var keepFile = flag.String("keep", "", "keep the script of TestHostile here")

func script(t *testing.T, rows ...export.Row) string {
	t.Helper()
	var out bytes.Buffer
	w := New(&out, "kernel 7.3.4 $(touch owned)\ntouch owned")
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// stub is a program of another name that writes down how it was called.
const stub = `#!/bin/sh
printf '%s' "${0##*/}" >>"$LOG"
for a; do printf ' [%s]' "$a" >>"$LOG"; done
printf '\n' >>"$LOG"
`

// runScript runs a script with stubs in place of all programs, and returns their calls.
func runScript(t *testing.T, text string) []string {
	t.Helper()
	dir := t.TempDir()
	bin, work := filepath.Join(dir, "bin"), filepath.Join(dir, "work")
	for _, d := range []string{bin, work} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"xfs_io", "chattr", "chmod", "touch"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, does := range map[string]string{"stat": `[ "$3" != %T ] || echo ext2/ext3`, "rm": ""} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("/bin/sh", "-n", file).CombinedOutput(); err != nil {
		t.Fatalf("sh -n: %v\n%s", err, out)
	}
	cmd := exec.Command("/bin/sh", file, work)
	log := filepath.Join(dir, "log")
	cmd.Env = []string{"PATH=" + bin, "LOG=" + log}
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "\n") != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	left, err := os.ReadDir(work)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if !strings.HasPrefix(e.Name(), "e4d-") {
			t.Errorf("the script made %q", e.Name())
		}
	}
	calls, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(calls)), "\n")
}

func TestHostile(t *testing.T) {
	rows := exporttest.Rows()
	for i, name := range exporttest.Hostile {
		r := rows[0].Clone()
		r.Comm, r.Path, r.Ino = name, name, uint64(1000+i)
		r.Incomplete, r.Reason, r.Why, r.Missing, r.Variant = name, name, []string{name, name}, name, name
		r.Verdict = export.Some(judge.Differs)
		rows = append(rows, r)
	}
	text := script(t, rows...)
	if *keepFile != "" {
		if err := os.WriteFile(*keepFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("a control character: %q", text[max(i-20, 0):i+20])
	}
	if calls := runScript(t, text); len(calls) < len(rows) {
		t.Errorf("%d calls for %d rows", len(calls), len(rows))
	}
}

// row is a write to inode 20 with blocks of 4096 bytes.
func row(o observe.Observation, v *judge.Verdict) export.Row {
	o.Dev, o.Ino, o.Blkbits, o.Comm, o.Dio, o.Stages = 8<<20, 20, 12, "fio", true, record.StageDIO|record.StageReturn
	o.Len0, o.Pos0 = o.Passes[0].Count, o.Passes[0].Pos
	o.Completed, o.SubmitRet = true, o.Ret
	r := export.Row{}
	(&export.Maker{}).Fill(&r, &o, v)
	return r
}

func pass(pos, n, size int64, flags uint16, lookups ...observe.Lookup) []observe.Pass {
	return []observe.Pass{{Lock: record.LockShared, Pos: pos, Count: n, ISize: size, IDisksize: size, Flags: record.PassExtents | flags, Lookups: lookups}}
}

// TestLayout: written, unwritten and hole blocks are made, i_size, and nothing twice.
func TestLayout(t *testing.T) {
	const nosec = record.PassNosec
	lookup := func(lblk, n uint32, ret int32, flags uint32) observe.Lookup {
		return observe.Lookup{Lblk: lblk, Len: n, Ret: ret, MFlags: flags}
	}
	rows := []export.Row{
		// An unaligned write: written head, unwritten middle, hole at the end.
		row(observe.Observation{
			Head: observe.Head{Fmod: record.FmodFile}, Lock: record.LockExclusive, Ret: 10240, Flags: model.IocbNowait,
			Passes:   pass(512, 10240, 65536, nosec, lookup(0, 3, 1, model.MapMapped), lookup(2, 1, 0, 0)),
			Mappings: []observe.Mapping{{Offset: 0, Length: 4096, Type: model.IomapMapped}, {Offset: 4096, Length: 4096, Type: model.IomapUnwritten}, {Offset: 8192, Length: 4096, Type: model.IomapUnwritten, Flags: model.IomapFNew, AllocFlags: 3}},
		}, nil),
		// The same blocks again: they are written now.
		row(observe.Observation{
			Lock: record.LockShared, Ret: 8192, Passes: pass(4096, 8192, 65536, nosec),
			Mappings: []observe.Mapping{{Offset: 4096, Length: 8192, Type: model.IomapMapped}},
		}, nil),
		// Block 1 became unwritten in between, the file grew, and nosec is clear.
		row(observe.Observation{
			Lock: record.LockExclusive, Ret: -5, Flags: 2, Passes: pass(4096, 4096, 131072, 0),
			Mappings: []observe.Mapping{{Offset: 4096, Length: 4096, Type: model.IomapUnwritten}},
		}, nil),
		// A hole beyond i_size; an append.
		row(observe.Observation{
			Lock: record.LockExclusive, Ret: 4096, Flags: model.IocbAppend | 6, Passes: pass(12288, 4096, 12288, nosec),
			Mappings: []observe.Mapping{{Offset: 12288, Length: 4096, Type: model.IomapUnwritten, Flags: model.IomapFNew, AllocFlags: 3}},
		}, nil),
		// The file was truncated: block 2 is a hole without being punched.
		row(observe.Observation{
			Lock: record.LockExclusive, Ret: 4096, Passes: pass(8192, 4096, 8192, nosec),
			Mappings: []observe.Mapping{{Offset: 8192, Length: 4096, Type: model.IomapMapped, Flags: model.IomapFNew, AllocFlags: 1}},
		}, nil),
		// The lookup found an unwritten block, which was converted at once.
		row(observe.Observation{
			Lock: record.LockExclusive, Ret: 4096, Passes: pass(0, 4096, 12288, nosec),
			Mappings: []observe.Mapping{{Length: 4096, Type: model.IomapMapped, AllocFlags: 1, LookedUp: true, LookupRet: 1}},
		}, nil),
	}
	text := script(t, rows...)
	got := strings.Join(runScript(t, text), "\n")
	const want = `xfs_io [-c] [pwrite -q -S 0x40 0 1] [-c] [truncate 0] [e4d-1]
xfs_io [-c] [truncate 64k] [e4d-1]
xfs_io [-c] [pwrite -q -b 1024k -S 0x40 0 4k] [e4d-1]
xfs_io [-c] [falloc -k 4k 4k] [e4d-1]
xfs_io [-c] [fsync] [-c] [fadvise -d 0 0] [e4d-1]
xfs_io [-d] [-c] [pwrite -q -b 10k -N -V 1 -S 0x42 512 10k] [e4d-1]
xfs_io [-d] [-c] [pwrite -q -b 8k -S 0x43 4k 8k] [e4d-1]
xfs_io [-c] [truncate 128k] [e4d-1]
xfs_io [-c] [fpunch 4k 4k] [e4d-1]
xfs_io [-c] [falloc -k 4k 4k] [e4d-1]
xfs_io [-c] [fsync] [-c] [fadvise -d 0 0] [e4d-1]
chmod [u+s] [e4d-1]
chmod [u-s] [e4d-1]
xfs_io [-d] [-c] [pwrite -q -b 4k -D -V 1 -S 0x44 4k 4k] [e4d-1]
xfs_io [-c] [truncate 12k] [e4d-1]
xfs_io [-c] [fsync] [-c] [fadvise -d 0 0] [e4d-1]
xfs_io [-d] [-a] [-s] [-c] [pwrite -q -b 4k -S 0x45 12k 4k] [e4d-1]
xfs_io [-c] [truncate 8k] [e4d-1]
xfs_io [-c] [fsync] [-c] [fadvise -d 0 0] [e4d-1]
xfs_io [-d] [-c] [pwrite -q -b 4k -S 0x46 8k 4k] [e4d-1]
xfs_io [-c] [fpunch 0 4k] [e4d-1]
xfs_io [-c] [falloc -k 0 4k] [e4d-1]
xfs_io [-c] [fsync] [-c] [fadvise -d 0 0] [e4d-1]
xfs_io [-d] [-c] [pwrite -q -b 4k -S 0x47 0 4k] [e4d-1]`
	if got != want {
		t.Errorf("calls:\n%s\nwant:\n%s\nof\n%s", got, want, text)
	}
}

// TestNotes: what is not repeated stands in the script.
func TestNotes(t *testing.T) {
	one := row(observe.Observation{
		Ret: 4096, Lock: record.LockShared, Caller: record.CallerIOUring, Flags: 0x40, Align0: 512 | 4096, Align0Known: true, LatencyNs: 5000,
		Passes: pass(0, 4096, 4096, record.PassEncrypted, observe.Lookup{Len: 1, Ret: 0, MFlags: model.MapDelayed}),
	}, &judge.Verdict{
		Kind: judge.Slower, Variant: model.Linux73, Reason: "aligned", Rules: rules.R6,
		Diffs: []judge.Diff{{Field: judge.FieldLock, Seen: "exclusive", Want: "shared"}},
	})
	two := one.Clone()
	two.TimeNs += 100
	two.Facts.Checks[0].IDisksize = 0
	text := script(t, one, two, export.Row{})
	for _, want := range []string{
		"it came from io_uring; here it is pwrite(2)", "it had IOCB_ATOMIC; here it has not", "aligned to 512 bytes only; here it has segments of 512 bytes", "pwrite -q -b 512 -V 8 -S",
		"The inode was encrypted", "block 0 was delayed", "#   slower (linux-7.3): R6, aligned\n#   lock: observed exclusive, expected shared\n",
		"it began before the write before it", "i_disksize was 0, i_size 4096", "where they went was not seen: 1\n",
		"# kernel 7.3.4 $(touch owned)\\ntouch owned\n", `echo "writes repeated: 2"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	runScript(t, text)
}

func TestManyFiles(t *testing.T) {
	w := New(io.Discard)
	r := exporttest.Rows()[0]
	for i := range maxFiles + 10 {
		r.Ino = uint64(i)
		if err := w.Write(&r); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.files) != maxFiles || w.tooBig != 10 {
		t.Errorf("%d files, %d left out", len(w.files), w.tooBig)
	}
}

// Of no write, and of those that cannot be repeated, nothing is made: what does nothing looks like a success.
func TestNothing(t *testing.T) {
	for _, rows := range [][]export.Row{nil, {{}}} {
		var out bytes.Buffer
		made := 0
		test := FstestsFormat.New(export.Target{Create: func(string) (io.WriteCloser, error) {
			made++
			return nopCloser{io.Discard}, nil
		}})
		for _, w := range []export.Writer{New(&out), test} {
			for i := range rows {
				if err := w.Write(&rows[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); !errors.Is(err, export.ErrNothing) {
				t.Errorf("of %d rows: %v", len(rows), err)
			}
		}
		if out.Len() > 0 || made > 0 {
			t.Errorf("of %d rows: %d bytes, %d files", len(rows), out.Len(), made)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriterFails(t *testing.T) {
	w := New(full{})
	r := exporttest.Rows()[0]
	if err := w.Write(&r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
}

func BenchmarkXFSIO(b *testing.B) {
	s := exporttest.Samples()[1]
	m := export.Maker{Names: exporttest.Paths{}}
	var r export.Row
	w := New(io.Discard)
	b.ReportAllocs()
	for b.Loop() {
		m.Fill(&r, s.Obs, s.Ver)
		if err := w.Write(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
