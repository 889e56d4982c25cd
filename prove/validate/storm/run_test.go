package storm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// blindTracer sees nothing.
type blindTracer struct{}

func (blindTracer) Watch(trial.FileID) {}
func (blindTracer) Collect(context.Context, int) ([]trial.Seen, error) {
	return nil, nil
}

// runBlind carries out storms without a kernel that is looked at; only the bytes are
// judged. It skips where there is no ext4.
func runBlind(t *testing.T, opts Options) *Report {
	t.Helper()
	opts.Variant, opts.Dir, opts.Timeout = model.Linux72, t.TempDir(), time.Second
	if opts.Tracer == nil {
		opts.Tracer = blindTracer{}
	}
	rep, err := Run(t.Context(), opts)
	if errors.Is(err, workload.ErrUnfit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(opts.Dir, DirName)); err == nil {
		t.Error("the directory was left")
	}
	return rep
}

// TestRunBytes carries out every storm on the file system of the machine.
func TestRunBytes(t *testing.T) {
	told := 0
	rep := runBlind(t, Options{Seed: 5, Progress: func(done int) {
		if told++; done != told {
			t.Errorf("told of %d, after %d", done, told-1)
		}
	}})
	if rep.Bytes.Wrong > 0 || rep.Bytes.Right < 2*len(Names()) || told != len(Names()) || rep.Writes() < 90*len(Names()) {
		t.Errorf("told of %d:\n%s", told, testkit.JSON(t, rep))
	}
	if rep.Accounting.Wrong != rep.Writes() || len(rep.Failures) == 0 {
		t.Errorf("of %d writes that nobody saw %d are wrong", rep.Writes(), rep.Accounting.Wrong)
	}
	for _, s := range rep.Storms {
		if s.Scenes == 0 && len(s.Skipped) == 0 || s.Rounds == 0 {
			t.Errorf("%s: %d scenes, %d rounds, skipped %q", s.Name, s.Scenes, s.Rounds, s.Skipped)
		}
	}
}

// TestRunFault plants a wrong byte in the second round of each scene of a storm.
func TestRunFault(t *testing.T) {
	for _, name := range []string{"halves", "appenders"} {
		fault := func(_ string, round int, b []byte) {
			if round == 2 {
				b[len(b)/2] ^= 1
			}
		}
		rep := runBlind(t, Options{Seed: 5, Storms: []string{name}, Fault: fault})
		var found *Failure
		for i := range rep.Failures {
			if rep.Failures[i].Oracle == trial.Bytes {
				found = &rep.Failures[i]
			}
		}
		if len(rep.Storms) != 1 || rep.Bytes.Wrong != rep.Storms[0].Scenes || found == nil {
			t.Fatalf("%s:\n%s", name, testkit.JSON(t, rep))
		}
		if found.Round != 2 || found.Count != rep.Bytes.Wrong || !strings.Contains(found.What[0], "read with O_DIRECT: 1 bytes are lost") ||
			!strings.HasSuffix(found.Command, " --storms "+name+" --seed 5") {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestRunEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Dir: t.TempDir(), Tracer: blindTracer{}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestJudge counts what verdicts say.
func TestJudge(t *testing.T) {
	s := appendSession()
	s.rep = newReport(&Options{Seed: 7, Variant: model.Linux73})
	s.Dir, s.Seed = "/a b", 7
	s.rep.Storms = []Storm{{Name: "appenders", Scenes: 1, Skipped: []string{"y: why"}}}
	s.now = &s.rep.Storms[0]
	l := newLedger([]entry{{w: &s.round.writers[0]}}, true)
	o := &observe.Observation{Len0: 512, WaitNs: 5, Ret: model.EAGAIN, Flags: model.IocbNowait, SubmitRet: model.EAGAIN,
		Drain: &observe.Drain{Waited: true}, Zeroed: []observe.Zeroed{{}}, Passes: make([]observe.Pass, 2), Queued: true}
	for _, v := range []*judge.Verdict{
		nil,
		{Kind: judge.Agree, Hazards: rules.R5, Overlaps: []overlap.Pair{{Kind: overlap.EOF}}},
		{Kind: judge.Undecided, Missing: "i_size"},
		{Kind: judge.Unsafe, Rules: rules.R1, Reason: "zeroing"},
		{Kind: judge.Unsafe, Rules: rules.R1, Reason: "zeroing"},
	} {
		s.judge(l, &trial.Seen{Observation: o, Verdict: v})
	}
	if got := s.rep.Observed; got != (trial.Tally{Right: 1, Wrong: 2, Undecided: 2}) {
		t.Errorf("%+v", got)
	}
	n := s.now
	for name, got := range map[string]int{"queued": n.Queued, "waited": n.Waited, "restarted": n.Restarted, "drained": n.Drained,
		"zeroed": n.Zeroed, "again": n.Again, "seen": n.Seen} {
		if got != 5 {
			t.Errorf("%s: %d", name, got)
		}
	}
	out := testkit.JSON(t, s.rep)
	for _, want := range []string{
		`"oracle": "observed"`, `"storm": "appenders"`, `"scene": "x"`, `"writer": 1`, `"write": "write 0+512 pwritev2 append"`, `"count": 2`,
		`"the model's verdict is unsafe"`, `"command": "ext4dio-trace validate --dir '/a b' --scenarios none --writes 0 --storms appenders --seed 7"`,
		`"i_size": 1`, `"no verdict": 1`, `"R5": 1`, `"zeroed behind i_size beside an aligned extending write (no rule)": 1`,
		`"-11 from the write checks": 5`, `"y: why"`, `"variant": "linux-7.3"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// TestSubstitute: where a submission path is not offered, another takes its place.
func TestSubstitute(t *testing.T) {
	r := &runner{rep: newReport(&Options{})}
	r.rep.Missing = map[workload.EngineName]string{workload.IOUring: "forbidden"}
	for engine, want := range map[workload.EngineName]workload.EngineName{
		workload.IOUring: workload.Pwritev2, workload.Libaio: workload.Libaio, workload.Pwrite: workload.Pwrite,
	} {
		w := writer{engine: engine, depth: 4}
		if r.substitute(&w); w.engine != want || (w.depth == 4) != (engine == want) {
			t.Errorf("%s: %s with depth %d", engine, w.engine, w.depth)
		}
	}
}
