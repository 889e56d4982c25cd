package matrix

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// TestInside: writes that wait. One sleeps for its I/O on a disk that was suspended, a
// second one waits for the lock that it holds, a third one is queued.
func TestInside(t *testing.T) {
	need(t)
	t.Parallel()
	kernels := []string{"debian-6.1"}
	if os.Getenv("EXT4DIO_FULL") != "" {
		kernels = append(kernels, "debian-7.3")
	}
	for _, name := range kernels {
		t.Run(name, func(t *testing.T) {
			spec := kernelSpec(t, name)
			r := &result{dir: t.TempDir()}
			share := t.TempDir()
			script, err := os.ReadFile("testdata/inside/inside.sh")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(share, "inside.sh"), script, 0o644); err != nil {
				t.Fatal(err)
			}
			build := exec.Command("go", "build", "-o", filepath.Join(share, "stall"), "testdata/inside/stall.go")
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			_, stderr, status := guest(t, spec, "--latency", "5ms", "--share", share, "--out", r.dir, "--bin", "grep", "--", "exec", "--", "sh", "/share/inside.sh")
			if status != 0 {
				t.Fatalf("vm ended with %d:\n%s", status, stderr)
			}
			t.Run("sums", func(t *testing.T) { partsAddUp(t, r) })
			t.Run("window", func(t *testing.T) { windowKnowsHolders(t, r) })
			t.Run("live", func(t *testing.T) { listed(t, r, "live") })
			t.Run("record", func(t *testing.T) { listed(t, r, "record") })
			t.Run("command", func(t *testing.T) { ofStuckCommand(t, r) })
			t.Run("trace", func(t *testing.T) { traceEndsWithThem(t, r) })
		})
	}
}

// line is what the test reads of a line of JSON.
type line struct {
	Comm     string  `json:"comm"`
	Pos      int64   `json:"pos"`
	Lock     *string `json:"lock"`
	Verdict  *string `json:"verdict"`
	Ret      *int64  `json:"ret"`
	WaitNs   uint64  `json:"wait_ns"`
	Inside   *string `json:"inside"`
	InsideNs *uint64 `json:"inside_ns"`
	Waits    []struct {
		Ns      uint64 `json:"ns"`
		Mode    string `json:"mode"`
		Holders []struct {
			Ns     uint64  `json:"ns"`
			Cause  string  `json:"cause"`
			Mode   *string `json:"mode"`
			Op     *string `json:"op"`
			Tid    *uint32 `json:"tid"`
			Write  *uint64 `json:"write"`
			Others int     `json:"others"`
		} `json:"holders"`
	} `json:"waits"`
}

// lines is a recording as view --json shows it.
func (r *result) lines(t *testing.T, name string) []line {
	t.Helper()
	out, err := exec.Command(program(t), "view", "--json", filepath.Join(r.dir, name)).Output()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return writes[line](t, string(out))
}

// partsAddUp: whoever was waited for, it is as much as was waited; and where every holder
// is a direct write, hardly anything of it is unknown.
func partsAddUp(t *testing.T, r *result) {
	var waited, held, queued, unknown, together uint64
	for i, l := range r.lines(t, "contend.e4d") {
		sum := uint64(0)
		for _, w := range l.Waits {
			parts := uint64(0)
			for _, h := range w.Holders {
				parts += h.Ns
				switch h.Cause {
				case "held":
					held += h.Ns
				case "queued":
					queued += h.Ns
				default:
					unknown += h.Ns
				}
				together += uint64(h.Others)
				if (h.Cause == "unknown") != (h.Op == nil) || h.Op != nil && (h.Write == nil || *h.Write == 0 || h.Tid == nil) {
					t.Errorf("write %d: a holder %+v", i+1, h)
				}
			}
			if parts != w.Ns {
				t.Errorf("write %d: the parts of a wait of %d ns add up to %d", i+1, w.Ns, parts)
			}
			sum += w.Ns
		}
		if sum != l.WaitNs {
			t.Errorf("write %d waited %d ns, its waits are %d", i+1, l.WaitNs, sum)
		}
		waited += sum
	}
	t.Logf("%d ms waited: %d held, %d queued, %d unknown; %d times held with others", waited/1e6, held/1e6, queued/1e6, unknown/1e6, together)
	if waited < 100e6 || held == 0 || together == 0 || unknown*20 > waited {
		t.Error("not what such a load makes")
	}
}

// windowKnowsHolders: a write that is jumped to has the same holders as in a pass over all.
func windowKnowsHolders(t *testing.T, r *result) {
	all, err := tracefile.OpenRecordings(filepath.Join(r.dir, "contend.e4d"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := replay.NewWindow(context.Background(), all[0], "auto")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var rows []export.Row
	keep := func(r *export.Row) bool { rows = append(rows, r.Clone()); return true }
	if err := w.Each(1, int(w.Writes()), keep); err != nil {
		t.Fatal(err)
	}
	whole, waiting := rows, 0
	for i := range whole {
		if len(whole[i].Waits) == 0 {
			continue
		}
		waiting++
		rows = nil
		if err := w.Each(uint64(i+1), 1, keep); err != nil || len(rows) != 1 {
			t.Fatal(len(rows), err)
		}
		if !reflect.DeepEqual(rows[0].Waits, whole[i].Waits) {
			t.Errorf("write %d: jumped to, it waited for\n%q\nin a pass for\n%q", i+1,
				export.WaitedFor(rows[0].Waits, rows[0].WaitNs.V), export.WaitedFor(whole[i].Waits, whole[i].WaitNs.V))
		}
	}
	if waiting == 0 {
		t.Error("no write has waited")
	}
}

// listed: what stands on stderr, after each of two signals and at the end.
func listed(t *testing.T, r *result, name string) {
	text := r.read(t, name+".err")
	own := regexp.MustCompile(`stall \(pid \d+, tid (\d+)\): 4096 bytes at 16384 of .*, in its own I/O \(iomap_dio_rw\), entered [0-9.]+m?s ago\n((?:    .*\n)*)`)
	wait := regexp.MustCompile(`stall \(pid \d+, tid \d+\): 4096 bytes at 0 of .*, waiting for i_rwsem shared for [0-9.]+m?s, entered [0-9.]+m?s ago\n    waited [0-9.]+m?s: .*stall tid (\d+) held it exclusive[^\n]*\n((?:    .*\n)*)`)
	// Who makes no write is named, too: one in inode_dio_wait, one with the locks of two files.
	for _, op := range []string{"fallocate:punch-hole", "ioctl"} {
		if n := len(regexp.MustCompile(`\n    waited [^\n]*`+op+`[^\n]* held it exclusive`).FindAllString(text, -1)); n != 3 {
			t.Errorf("%d lists of 3 have a write that waits for %s:\n%s", n, op, text)
		}
	}
	queued := regexp.MustCompile(`stall \(pid \d+, tid \d+\): 4096 bytes at 4096 of .*, in its own I/O \(iomap_dio_rw\), asynchronous`)
	a, b, c := own.FindAllStringSubmatch(text, -1), wait.FindAllStringSubmatch(text, -1), queued.FindAllString(text, -1)
	// The recorder knows queued writes by their records only.
	if len(a) != 3 || len(b) != 3 || len(c) < 2 {
		t.Fatalf("%d times one in its own I/O, %d times one that waits, %d times one that is queued:\n%s", len(a), len(b), len(c), text)
	}
	for i := range a {
		if a[i][1] != b[i][1] || !strings.Contains(a[i][2], "iomap_dio_rw") || !strings.Contains(b[i][2], "ext4_file_write_iter") {
			t.Errorf("list %d: %q\n%q", i, a[i], b[i])
		}
	}
	if got := r.status(t, name); got != 4 {
		t.Errorf("it ended with %d, want 4", got)
	}
	if strings.Contains(text, "LOST") || strings.Contains(text, "UNACCOUNTED") || strings.Contains(text, "INCOMPLETE") {
		t.Errorf("it says more than it should:\n%s", text)
	}
}

// ofStuckCommand: tracing ends although the command sleeps in the kernel, where SIGKILL does
// not wake it, and says which write that is.
func ofStuckCommand(t *testing.T, r *result) {
	text := r.read(t, "command.err")
	for _, want := range []string{"UNFINISHED: 1 write not seen to end", "4096 bytes at 16384 of /mnt/stuck (inode ", "in its own I/O (iomap_dio_rw)", "was killed and has not ended: it sleeps in the kernel"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	if got := r.status(t, "command"); got != 4 {
		t.Errorf("it ended with %d, want 4", got)
	}
}

// traceEndsWithThem: the records are there, are not judged, and are counted once.
func traceEndsWithThem(t *testing.T, r *result) {
	for _, name := range []string{"live", "record"} {
		all := r.lines(t, name+".e4d")
		if len(all) < 3 {
			t.Fatalf("%s: %d lines", name, len(all))
		}
		stages, ops := "", map[string]int{}
		for _, l := range all {
			if l.Inside == nil {
				continue
			}
			stages += fmt.Sprintf("%s %d; ", *l.Inside, l.Pos)
			for _, w := range l.Waits {
				for _, h := range w.Holders {
					if h.Op != nil {
						ops[*h.Op]++
					}
				}
			}
			if l.Ret != nil || l.InsideNs == nil || *l.InsideNs == 0 || l.Verdict == nil || *l.Verdict != "undecided" {
				t.Errorf("%s: %+v", name, l)
			}
		}
		if stages != "io 16384; i_rwsem 0; i_rwsem 8192; i_rwsem 8192; " {
			t.Errorf("%s: it ends with %q", name, stages)
		}
		if ops["write"] != 1 || ops["fallocate:punch-hole"] != 1 || ops["ioctl"] != 1 {
			t.Errorf("%s: they wait for %v", name, ops)
		}
		var out, errs strings.Builder
		cmd := exec.Command(program(t), "check", filepath.Join(r.dir, name+".e4d"))
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run()
		text := out.String() + errs.String()
		if cmd.ProcessState.ExitCode() != 4 || !strings.Contains(text, "UNFINISHED: 6 writes") || !strings.Contains(text, "4 unfinished") ||
			strings.Contains(text, "INCOMPLETE") || strings.Contains(text, "UNACCOUNTED") {
			t.Errorf("%s: check ended with %d:\n%s", name, cmd.ProcessState.ExitCode(), text)
		}
	}
}
