package fio

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/record"
)

var keepDir = flag.String("keep", "", "keep the files of TestHostile in this folder")

// made are files in memory.
type made map[string]*bytes.Buffer

type file0 struct{ *bytes.Buffer }

func (file0) Close() error { return nil }

func (m made) create(name string) (io.WriteCloser, error) {
	if m[name] != nil {
		return nil, fmt.Errorf("%s is made twice", name)
	}
	m[name] = new(bytes.Buffer)
	return file0{m[name]}, nil
}

func writeAll(t *testing.T, rows []export.Row) made {
	t.Helper()
	m := made{}
	w := New(m.create, "kernel 7.3.4\n[global]")
	for i := range rows {
		if err := w.Write(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m made) save(t *testing.T, dir string) {
	t.Helper()
	for name, b := range m {
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func write(at uint64, tid uint32, ino uint64, pos, n int64, flags uint32, caller record.Caller, latency uint64) export.Row {
	o := observe.Observation{
		Time: at, Pid: 1, Tid: tid, Comm: "w", Dev: 8 << 20, Ino: ino, Blkbits: 12, Pos0: pos, Len0: n, ISize0: 1 << 20, Flags: flags,
		Caller: caller, LatencyNs: latency, SubmitNs: 10, Completed: true, Ret: n,
	}
	r := export.Row{}
	(&export.Maker{}).Fill(&r, &o, nil)
	return r
}

// TestLogs: a log for each task, in the order in which writes began, with the depth
// that was in flight.
func TestLogs(t *testing.T) {
	m := writeAll(t, []export.Row{
		write(5_000_000, 7, 20, 0, 4096, 0, record.CallerSync, 1000),
		write(5_002_000, 8, 21, 512, 512, 0, record.CallerLibaio, 90_000), // these end in another order
		write(5_003_000, 8, 20, 4096, 512, 0, record.CallerLibaio, 10_000),
		write(5_001_000, 8, 21, 1024, 512, 0, record.CallerLibaio, 95_000),
		write(6_000_000, 8, 21, 1024, 512, 0x8, record.CallerIOUring, 100),
		write(6_000_000, 8, 21, 1024, 512, 0xe, record.CallerSync, 100),
		write(6_000_000, 8, 21, 1024, 512, 0x12, record.CallerSync, 100),
		write(4_000_000, 7, 20, 8192, 4096, 0, record.CallerSync, 1000), // before the first row
	})
	for name, want := range map[string]string{
		"job-1.iolog": "0 e4d-1 add\n0 e4d-1 open\n0 e4d-1 write 0 4096\n0 e4d-1 write 8192 4096\n",
		"job-2.iolog": "1 e4d-2 add\n1 e4d-2 open\n1 e4d-2 write 1024 512\n2 e4d-2 write 512 512\n3 e4d-1 add\n3 e4d-1 open\n3 e4d-1 write 4096 512\n",
	} {
		if got := m[name].String(); got != "fio version 3 iolog\n"+want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	job := m[JobFile].String()
	for _, want := range []string{
		"[layout-1]\nfilename=e4d-1\nrw=write\n", "size=1048576\n", "[job-1]\nstonewall\nread_iolog=job-1.iolog\nioengine=psync\n\n",
		"[job-2]\nread_iolog=job-2.iolog\nioengine=libaio\niodepth=3\n\n", "ioengine=io_uring\niodepth=1\n\n",
		"ioengine=pvsync2\nnowait=1\nignore_error=,EAGAIN\nsync=sync\n", "ioengine=psync\nsync=dsync\n", "go to the place here that they went to: 1.\n", "# kernel 7.3.4\\n[global]\n",
	} {
		if !strings.Contains(job, want) {
			t.Errorf("%q is missing in\n%s", want, job)
		}
	}
}

// TestTries: a request is one write of the task that asked for it, as long as all its
// tries; and what is refused for good was asked for so.
func TestTries(t *testing.T) {
	try := func(at uint64, tid uint32, request uint64, n int, caller record.Caller, flags uint32) export.Row {
		r := write(at, tid, 20, 0, 512, flags, caller, 1000)
		r.Request, r.Try = request, export.Some(n)
		if flags&export.KiNowait != 0 {
			r.Ret, r.Refused = export.Some[int64](-11), export.Some(observe.AtExclusive)
		}
		return r
	}
	m := writeAll(t, []export.Row{
		try(1_000_000, 50, 1, 1, record.CallerIOUring, export.KiNowait), try(2_000_000, 50, 2, 1, record.CallerIOUring, export.KiNowait),
		try(1_500_000, 51, 1, 2, record.CallerIOWQ, 0), try(2_500_000, 51, 2, 2, record.CallerIOWQ, 0),
		try(9_000_000, 50, 3, 1, record.CallerIOUring, export.KiNowait),
	})
	if got, want := strings.Count(m["job-1.iolog"].String(), "write"), 2; got != want || strings.Count(m["job-2.iolog"].String(), "write") != 1 || len(m) != 3 {
		t.Errorf("%d writes, want %d:\n%s\n%s", got, want, m["job-1.iolog"], m[JobFile])
	}
	if want := "ioengine=io_uring\niodepth=1\nnowait=1\nignore_error=,EAGAIN\n"; !strings.Contains(m[JobFile].String(), want) {
		t.Errorf("%q is missing in\n%s", want, m[JobFile])
	}
}

// TestWorkers: what workers of io_uring write belongs to the task that they work for.
func TestWorkers(t *testing.T) {
	var rows []export.Row
	for i := range 4 {
		r := write(uint64(1e9+i), uint32(50+i), 20, 0, 512, 0, record.CallerIOWQ, 1000)
		r.Comm = "iou-wrk-50"
		rows = append(rows, r)
	}
	if m := writeAll(t, rows); len(m) != 2 {
		t.Errorf("%d files\n%s", len(m), m[JobFile])
	}
}

// needFio returns fio's path, or skips.
func needFio(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("fio")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("fio is not installed: make need-test")
		}
		t.Skip("fio is not installed: make need-test")
	}
	return path
}

// TestHostile has fio itself read what is made of names that could do harm.
func TestHostile(t *testing.T) {
	rows := exporttest.Rows()
	for i, name := range exporttest.Hostile {
		r := rows[0].Clone()
		r.Comm, r.Path, r.Ino, r.Tid = name, name, uint64(1000+i), uint32(5000+i)
		r.Facts.ISize = 8192
		rows = append(rows, r)
	}
	// fio reads lines in pieces.
	long := rows[0].Clone()
	long.Ino, long.Path = 2000, strings.Repeat("x", 4000)+strings.Repeat(" exec_prerun=touch owned", 4)
	for i := range 100 {
		long.Path, long.Ino = "y"+long.Path, uint64(2000+i)
		rows = append(rows, long)
	}
	m := writeAll(t, rows)
	for line := range strings.Lines(m[JobFile].String()) {
		if len(line) > 2048 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	for name, b := range m {
		if i := bytes.IndexFunc(b.Bytes(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: a control character at %d", name, i)
		}
	}
	dir := t.TempDir()
	if *keepDir != "" {
		dir = *keepDir
	}
	m.save(t, dir)
	cmd := exec.Command(needFio(t), "--parse-only", JobFile)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("fio --parse-only: %v\n%s", err, out)
	}
}

// TestReplay has fio replay a small trace, where its direct writes work.
func TestReplay(t *testing.T) {
	fio := needFio(t)
	dir := t.TempDir()
	writeAll(t, []export.Row{
		write(5_000_000, 7, 20, 0, 4096, 0, record.CallerSync, 1000),
		write(5_100_000, 8, 20, 4096, 4096, 0, record.CallerSync, 1000),
		write(5_200_000, 7, 20, 1<<20, 4096, 2, record.CallerSync, 1000),
	}).save(t, dir)
	cmd := exec.Command(fio, JobFile)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if bytes.Contains(out, []byte("direct=1")) || bytes.Contains(out, []byte("O_DIRECT")) {
		t.Skipf("no direct I/O on %s", dir)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if st, err := os.Stat(filepath.Join(dir, "e4d-1")); err != nil || st.Size() != 1<<20+4096 {
		t.Errorf("%v %v\n%s", st, err, out)
	}
}

func TestManyTasks(t *testing.T) {
	var rows []export.Row
	for i := range 3 * maxJobs {
		rows = append(rows, write(uint64(1e9+i), uint32(i+1), uint64(i), 0, 512, 0, record.CallerSync, 1))
	}
	m := writeAll(t, rows)
	if len(m) != maxJobs+2 || !strings.Contains(m[JobFile].String(), "# all other tasks\n[job-65]") {
		t.Errorf("%d files", len(m))
	}
	if n := strings.Count(m["job-65.iolog"].String(), "write"); n != 2*maxJobs {
		t.Errorf("%d writes of the other tasks", n)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
func (full) Close() error              { return nil }

func TestWriterFails(t *testing.T) {
	w := New(func(string) (io.WriteCloser, error) { return full{}, nil })
	r := write(1, 2, 3, 4, 512, 0, record.CallerSync, 1)
	if err := errors.Join(w.Write(&r), w.Close()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
	w = New(func(string) (io.WriteCloser, error) { return nil, os.ErrPermission })
	if err := errors.Join(w.Write(&r), w.Close()); !errors.Is(err, os.ErrPermission) {
		t.Errorf("%v", err)
	}
}

func BenchmarkFio(b *testing.B) {
	s := exporttest.Samples()[1]
	m := export.Maker{Names: exporttest.Paths{}}
	var r export.Row
	w := New(func(string) (io.WriteCloser, error) { return discard{}, nil })
	b.ReportAllocs()
	for b.Loop() {
		m.Fill(&r, s.Obs, s.Ver)
		if err := w.Write(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Close() error                { return nil }
