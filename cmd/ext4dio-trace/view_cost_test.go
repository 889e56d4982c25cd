package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// The view is measured at this rate.
const costRate = 50_000 // writes a second

// TestViewCost replays a recording of EXT4DIO_VIEW_SECONDS seconds on a pty, and tells
// what the view costs: CPU time of the whole process, that of the same process without a
// screen, and the most memory that was resident. From 10 seconds on it fails where the
// screen needs more than a tenth of one core, or the process more than 96 MB. Without
// the variable it looks whether it works at all.
func TestViewCost(t *testing.T) {
	const (
		mostCPU    = 0.10
		mostMemory = 96 << 10 // KiB
	)
	seconds, strict := 1, false
	if text := os.Getenv("EXT4DIO_VIEW_SECONDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("EXT4DIO_VIEW_SECONDS is %q", text)
		}
		seconds, strict = n, n >= 10
	}
	bin := buildProgram(t)
	path, writes := steady(t, seconds*costRate)
	rate := strconv.Itoa(costRate)

	term := startOnPty(t, 140, 45, bin, "view", "--rate", rate, path)
	// Its last half is measured: by then everything is there that grows.
	all := writesShown(writes)
	began := time.Now()
	term.until("the view is drawn", drawn)
	if strict {
		term.untilIn("half of the recording was shown", time.Duration(seconds)*time.Second, func(*screen) bool {
			return time.Since(began) > time.Duration(seconds)*time.Second/2
		})
	}
	start := spentBy(t, term.cmd.Process.Pid)
	began = time.Now()
	term.untilIn("all of the recording was shown", time.Duration(2*seconds)*time.Second+patience, func(s *screen) bool { return s.shows(all) })
	took := time.Since(began)
	end := spentBy(t, term.cmd.Process.Pid)
	term.keys("q")
	if status := term.exited(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, term.now())
	}
	whole := float64(end.cpu-start.cpu) / float64(took)

	plain := exec.Command(bin, "view", "--plain", "--rate", rate, "--filter", "pid=0", path)
	if err := plain.Run(); err != nil {
		t.Fatal(err)
	}
	without := float64(plain.ProcessState.UserTime()+plain.ProcessState.SystemTime()) / float64(time.Duration(seconds)*time.Second)
	t.Logf("%d writes a second: %.1f %% of one core, %.1f %% without a screen; at half time %.1f MB were resident at most, at the end %.1f MB",
		costRate, 100*whole, 100*without, float64(start.memory)/1024, float64(end.memory)/1024)
	if strict && whole-without > mostCPU {
		t.Errorf("the screen needs %.1f %% of one core, more than %.0f %%", 100*(whole-without), 100*mostCPU)
	}
	if strict && end.memory > mostMemory {
		t.Errorf("%d KiB are resident, more than %d", end.memory, mostMemory)
	}
}

// writesShown is how the header counts writes that all agree.
func writesShown(n int) string { return fmt.Sprintf("agree %d ", n) }

// spent is what a process has used.
type spent struct {
	cpu    time.Duration
	memory int // VmHWM, KiB
}

// spentBy reads what a process has used until now.
func spentBy(t *testing.T, pid int) (c spent) {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// utime and stime are the 12th and 13th behind the name, in hundredths of a second.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		c.cpu += time.Duration(n) * time.Second / 100
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(text, &c.memory); err != nil {
		t.Fatal(err)
	}
	return c
}

// steady is a recording of n writes or a few more that ended at a steady rate: those of a
// real one again and again.
func steady(t *testing.T, n int) (path string, writes int) {
	t.Helper()
	names, raws := rawTrace(t, ptyTrace)
	info := names.Info()
	f, err := os.Create(filepath.Join(t.TempDir(), "steady.e4d"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := tracefile.NewWriter(f, info)
	check(err)
	e := binary.NativeEndian
	var l record.Losses
	for i := 0; writes < n || i%len(raws) != 0; i++ {
		raw := raws[i%len(raws)]
		now := info.Monotonic + uint64(writes)*(1e9/costRate) + 1e9
		id := uint64(i/len(raws)) << 20
		if file, ok := record.FileOf(raw); ok {
			if i < len(raws) {
				w.Name(file, names.Path(file))
			}
			e.PutUint64(raw[record.AtT0:], now-e.Uint64(raw[record.AtLatency:]))
			e.PutUint64(raw[record.AtID:], e.Uint64(raw[record.AtID:])&(1<<20-1)|e.Uint64(raw[record.AtID:])>>40<<40|id)
			writes++
			l.Seen++
		} else {
			e.PutUint64(raw[record.AtDoneID:], e.Uint64(raw[record.AtDoneID:])&(1<<20-1)|e.Uint64(raw[record.AtDoneID:])>>40<<40|id)
			e.PutUint64(raw[record.AtDoneT:], now)
		}
		check(w.Append(raw, &l))
	}
	check(w.Close(&l))
	return f.Name(), writes
}
