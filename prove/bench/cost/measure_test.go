package cost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
)

// fakeArg makes the test binary a tracer of some kind.
const fakeArg = "fake-tracer"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == fakeArg {
		os.Exit(fakeTracer(os.Args[2]))
	}
	os.Exit(m.Run())
}

// fakeWrites is what the fake tracer says to have seen of each file.
const fakeWrites = 7

// fakeTracer writes what a tracer writes, until SIGINT. It cannot see writes, but which
// files its parent has open.
func fakeTracer(kind string) int {
	if kind == "ends" {
		fmt.Fprintln(os.Stderr, "not today")
		return 1
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT)
	out := json.NewEncoder(os.Stdout)
	now := clock.Monotonic()
	_ = out.Encode(Drained{At: AtAttached, Time: now})
	if kind != "blind" {
		_ = out.Encode(Drained{At: AtFirst, Time: now + 1e6, Programs: []Program{{Name: "p", Runs: 5}}})
	}
	<-stop
	end := Drained{At: AtEnd, Writes: map[uint64]int{}, Programs: []Program{{Name: "p", Runs: 105}}}
	if kind != "blind" {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", os.Getppid()))
		for _, f := range files {
			var st unix.Stat_t
			if err := unix.Stat(f, &st); err == nil {
				end.Writes[st.Ino] = fakeWrites
			}
		}
	}
	switch kind {
	case "lossy":
		fmt.Fprintln(os.Stderr, "lost: 5")
		end.Lost = 3
		_ = out.Encode(end)
		return 4
	case "fails":
		fmt.Fprintln(os.Stderr, "out of luck")
		return 1
	}
	_ = out.Encode(end)
	return 0
}

// fake is a tracer of that kind.
func fake(t *testing.T, kind string) *Tracer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Tracer{Name: kind, Ours: true, Args: []string{self, fakeArg, kind}, Count: CountDrained, LossStatus: 4, LeavesOut: kind == "blind"}
}

// options are those of a short measurement under tracers.
func options(t *testing.T, notice func(string), tracers ...*Tracer) Options {
	t.Helper()
	return Options{
		Rounds: 2, For: time.Nanosecond, Tracers: tracers, Scratch: t.TempDir(), Notice: notice, Start: 20 * time.Second,
		Loads: []Load{
			{Name: "a", Title: "A", Len: 512, Step: 512, Size: batch * 512, Written: true},
			{Name: "b", Title: "B", Len: 512, Step: 512, Size: batch * 512, Read: true, Written: true},
			{Name: "c", Title: "C", Len: 512, Step: 512, Size: batch * 512, Other: true},
		},
		Other: plain(t.TempDir()),
	}
}

func TestMeasure(t *testing.T) {
	var notices []string
	here, there := t.TempDir(), plain(t.TempDir())
	o := options(t, func(s string) { notices = append(notices, s) }, fake(t, "good"), fake(t, "lossy"), fake(t, "blind"))
	o.Tracers[1].Lost = func(said string) (n uint64) {
		_, _ = fmt.Sscanf(said, "lost: %d", &n)
		return n
	}
	o.Tracers[0].Stats, o.Stats, o.Other = true, true, there
	rep, err := Measure(t.Context(), plain(here), o)
	if err != nil && strings.Contains(err.Error(), "it has seen no write within") {
		// Once a fake tracer said nothing at all, for two minutes, on an idle machine.
		// Why is not known; it is not what is tested here.
		t.Logf("once more after: %v", err)
		notices = nil
		rep, err = Measure(t.Context(), plain(here), o)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(notices, ", "); got != "round 1 of 2, round 2 of 2" {
		t.Errorf("notices: %s", got)
	}
	for i, want := range []struct {
		lost     uint64
		captured int
	}{{0, 2 * fakeWrites}, {10, 2 * fakeWrites}, {0, 0}} {
		tr := rep.Tracers[i]
		if tr.Lost != want.lost || len(tr.Start) != 2 || tr.Start[0] <= 0 {
			t.Errorf("%s: %d lost, started after %v", tr.Name, tr.Lost, tr.Start)
		}
		for _, l := range tr.Loads {
			if l.Issued != 2*batch || l.Captured != want.captured || len(l.CPU.Added) != 2 || len(l.Wall.Off) != 2 || l.Direct != (l.Name == "a") {
				t.Errorf("%s: %+v", tr.Name, l)
			}
		}
	}
	for i, tr := range rep.Tracers {
		l := tr.Loads[0]
		if i > 0 {
			if l.Counted != 0 || l.Programs != nil {
				t.Errorf("%s: programs %v, which nobody asked for", tr.Name, l.Programs)
			}
		} else if l.Counted != batch || len(l.Programs) != 1 || l.Programs[0].Runs != 100 {
			t.Errorf("programs %v in %d calls", l.Programs, l.Counted)
		}
	}
	for dir, want := range map[string]string{here: "a b canary", string(there): "c"} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Name())
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("files %s, want %s", got, want)
		}
	}
	left, err := os.ReadDir(o.Scratch)
	if err != nil || len(left) != 0 {
		t.Errorf("output is left over: %v, %v", left, err)
	}
}

// A tracer that goes wrong ends the measurement, with what it said.
func TestMeasureFails(t *testing.T) {
	missing := fake(t, "good")
	missing.Args[0] = filepath.Join(t.TempDir(), "none")
	wrong := fake(t, "good")
	wrong.Count = func(io.Reader) (*Counts, error) { return nil, errors.New("no such line") }
	for name, c := range map[string]struct {
		tracer *Tracer
		want   string
	}{
		"ends":    {fake(t, "ends"), "round 1: trace with ends: it has ended: exit status 1: not today"},
		"fails":   {fake(t, "fails"), "round 1: trace with fails: exit status 1: out of luck"},
		"missing": {missing, "round 1: trace with good: fork/exec "},
		"output":  {wrong, "no such line"},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := Measure(t.Context(), plain(t.TempDir()), options(t, func(string) {}, c.tracer))
			if rep != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			var which *TracerError
			if !errors.As(err, &which) || which.Tracer != c.tracer {
				t.Errorf("%v is an error of %+v", err, which)
			}
		})
	}
}

// When the user ends it while a tracer sees nothing, the tracer is ended as well.
func TestMeasureInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	deaf := fake(t, "blind")
	deaf.LeavesOut = false
	count := deaf.Count
	asked := 0
	deaf.Count = func(r io.Reader) (*Counts, error) {
		if asked++; asked == 3 {
			cancel()
		}
		return count(r)
	}
	if _, err := Measure(ctx, plain(t.TempDir()), options(t, func(string) {}, deaf)); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("%v, want that it was canceled", err)
	}
	if kids, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", unix.Getpid())); err == nil && len(kids) > 0 {
		t.Errorf("children are left over: %s", kids)
	}
}
