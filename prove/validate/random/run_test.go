package random

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// blindTracer sees that there were writes, and nothing of them.
type blindTracer struct{ missing int }

func (*blindTracer) Watch(trial.FileID) {}
func (b *blindTracer) Collect(_ context.Context, n int) ([]trial.Seen, error) {
	var out []trial.Seen
	for range n - b.missing {
		out = append(out, trial.Seen{Observation: &observe.Observation{Incomplete: "blind"}})
	}
	return out, nil
}

// runFake carries out a few writes without a kernel that is looked at; only the bytes
// are judged. It skips where there is no ext4.
func runFake(t *testing.T, opts Options) *Report {
	t.Helper()
	opts.Variant = model.Linux73
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	if opts.Tracer == nil {
		opts.Tracer = &blindTracer{}
	}
	rep, err := Run(context.Background(), opts)
	if errors.Is(err, workload.ErrUnfit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if opts.Keep {
		return rep
	}
	if _, err := os.Stat(filepath.Join(opts.Dir, DirName)); err == nil {
		t.Error("the directory was left")
	}
	return rep
}

func TestRunBytesAreRight(t *testing.T) {
	done := 0
	rep := runFake(t, Options{Seed: 3, Writes: 150, Progress: func(n, _ int) { done = n }})
	if len(rep.Failures) > 0 || rep.Bytes.Right != rep.Cases || rep.Writes < 150 || done != rep.Writes {
		t.Errorf("%d writes, %d told:\n%s", rep.Writes, done, testkit.JSON(t, rep))
	}
	if rep.Known.Undecided != rep.Attempts || rep.LeftOut["incomplete record"] != rep.Attempts {
		t.Errorf("of %d attempts %d are undecided", rep.Attempts, rep.Known.Undecided)
	}
}

// TestRunSeesAPlantedFault expects a wrong byte in one case, and only there.
func TestRunSeesAPlantedFault(t *testing.T) {
	fault := func(n int, b []byte) {
		if n == 2 && len(b) > 0 {
			b[len(b)/2] ^= 1
		}
	}
	rep := runFake(t, Options{Seed: 3, Writes: 40, Fault: fault})
	if len(rep.Failures) == 0 || rep.Bytes.Wrong != 1 || len(rep.Failures) != 1 || rep.Failures[0].Case != 2 {
		t.Fatalf("report:\n%s", testkit.JSON(t, rep))
	}
	f := &rep.Failures[0]
	if len(f.Steps) != 1 || f.Oracle != trial.Bytes || !strings.Contains(testkit.JSON(t, rep), "1 bytes differ, the first at") ||
		!strings.Contains(f.Commands, "--seed 3 --case 2") {
		t.Errorf("shrunk to %q:\n%s", f.Steps, testkit.JSON(t, rep))
	}
	if len(f.What) != 2 || !strings.HasPrefix(f.What[0], "read with O_DIRECT: ") || !strings.HasPrefix(f.What[1], "read through the page cache: ") {
		t.Errorf("found by %q, want both ways of reading", f.What)
	}
	if one := runFake(t, Options{Seed: 3, Case: 2, Fault: fault}); one.Cases != 1 || len(one.Failures) == 0 {
		t.Errorf("case 2 by itself:\n%s", testkit.JSON(t, one))
	}
}

// TestRunKeepsWhatItFoundBeforeAnError: a failure that cannot be made smaller any more is one.
func TestRunKeepsWhatItFoundBeforeAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	rep, err := Run(ctx, Options{Dir: t.TempDir(), Seed: 3, Writes: 40, Variant: model.Linux73, Tracer: &blindTracer{}, Fault: func(n int, b []byte) {
		if n == 2 && len(b) > 0 {
			b[0] ^= 1
			cancel()
		}
	}})
	if errors.Is(err, workload.ErrUnfit) {
		t.Skip(err)
	}
	if !errors.Is(err, context.Canceled) || len(rep.Failures) != 1 || rep.Failures[0].Shrunk {
		t.Errorf("%v:\n%s", err, testkit.JSON(t, rep))
	}
}

func TestRunNotSeen(t *testing.T) {
	rep := runFake(t, Options{Seed: 3, Case: 1, Tracer: &blindTracer{missing: 1}, Timeout: time.Second})
	if len(rep.Failures) == 0 || !strings.Contains(testkit.JSON(t, rep), "not seen in time") {
		t.Errorf("report:\n%s", testkit.JSON(t, rep))
	}
}

func flipFirst(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, 0)
	b[0] ^= 1
	_, err2 := f.WriteAt(b, 0)
	return errors.Join(err, err2, f.Close())
}

func TestVerify(t *testing.T) {
	for name, change := range map[string]func(string) error{
		"":        func(string) error { return nil },
		"bytes":   flipFirst,
		"i_size":  func(f string) error { return os.Truncate(f, 1<<20) },
		"no such": os.Remove,
	} {
		dir := t.TempDir()
		rep := runFake(t, Options{Dir: dir, Seed: 3, Writes: 20, Keep: true})
		if err := change(filepath.Join(dir, DirName, "e4d-case-1")); err != nil {
			t.Fatal(err)
		}
		if err := rep.Verify(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		bad := 0
		if name != "" {
			bad = 1
		}
		if rep.Remounted.Wrong != bad || (len(rep.Failures) == 0) != (name == "") || rep.Remounted.Right != rep.Cases-bad {
			t.Errorf("%q:\n%s", name, testkit.JSON(t, rep))
		}
		if _, err := os.Stat(filepath.Join(dir, DirName)); err == nil {
			t.Error("the directory was left")
		}
	}
}
