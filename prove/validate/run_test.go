package validate

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
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

func extentsForTest() []workload.Extent {
	const b = 4096
	return []workload.Extent{
		{Start: 0, Len: 2 * b, Physical: 100 * b, State: workload.Written},
		{Start: 2 * b, Len: b, Physical: 102 * b, State: workload.Written}, // goes on
		{Start: 3 * b, Len: b, Physical: 103 * b, State: workload.Unwritten},
		{Start: 4 * b, Len: b, Physical: 104 * b, State: workload.Written},
		{Start: 7 * b, Len: b, State: workload.Delayed},
		{Start: 8 * b, Len: b, Physical: 300 * b, State: workload.Written},
	}
}

// fakeTracer answers each Collect with the next of its answers; the writes of
// the setup are answered with nothing in particular.
type fakeTracer struct {
	answers []trial.Seen
	asked   []int
	late    bool
	err     error
}

func (f *fakeTracer) Watch(trial.FileID) {}

func (f *fakeTracer) Collect(ctx context.Context, n int) ([]trial.Seen, error) {
	f.asked = append(f.asked, n)
	if f.err != nil {
		return nil, f.err
	}
	var out []trial.Seen
	for len(out) < n && len(f.answers) > 0 {
		out, f.answers = append(out, f.answers[0]), f.answers[1:]
	}
	if len(out) < n && f.late {
		<-ctx.Done()
		return out, ctx.Err()
	}
	for len(out) < n {
		out = append(out, saw(judge.Agree, nil))
	}
	return out, nil
}

func saw(k judge.Kind, change func(*observe.Observation)) trial.Seen {
	o := &observe.Observation{
		Dio: true, Lock: record.LockShared, Ret: 4096, Completed: true,
		Passes: []observe.Pass{{Lock: record.LockShared}},
	}
	if change != nil {
		change(o)
	}
	return trial.Seen{Observation: o, Verdict: &judge.Verdict{Kind: k, Variant: model.Linux73, Reason: "because"}}
}

// runText carries out a text in a temporary directory, or skips.
func runText(t *testing.T, tr trial.Tracer, text string) (*Report, error) {
	t.Helper()
	scs, err := Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Variant: model.Linux73, Tracer: tr, Timeout: 50 * time.Millisecond}
	dir := t.TempDir()
	rep, err := r.Run(context.Background(), dir, scs)
	if errors.Is(err, workload.ErrUnfit) {
		t.Skip(err)
	}
	if _, serr := os.Stat(filepath.Join(dir, DirName)); !errors.Is(serr, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", serr)
	}
	return rep, err
}

const plain = `
scenario a
setup write 0 8K
setup prime 4K
write pos=0 len=4K
expect all lock=shared ret=4K
`

func TestRunPasses(t *testing.T) {
	f := &fakeTracer{}
	rep, err := runText(t, f, plain)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Summary() != "1 passed, 0 failed, 0 skipped" {
		t.Error(rep.Summary())
	}
	if len(f.asked) != 2 || f.asked[0] != 2 || f.asked[1] != 1 {
		t.Errorf("asked for %v writes, want the two of the setup and the judged one", f.asked)
	}
}

func TestRunFails(t *testing.T) {
	two := saw(judge.Agree, nil)
	for name, c := range map[string]struct {
		answer trial.Seen
		want   string // in the report
	}{
		"lock":       {saw(judge.Agree, func(o *observe.Observation) { o.Lock = record.LockExclusive }), "lock: expected shared, observed exclusive"},
		"result":     {saw(judge.Agree, func(o *observe.Observation) { o.Ret = 1 }), "the caller got 4096, but 1 was seen"},
		"verdict":    {saw(judge.Unsafe, nil), "the model's verdict is unsafe: because"},
		"incomplete": {saw(judge.Undecided, func(o *observe.Observation) { o.Incomplete = "no return" }), "the record is incomplete: no return"},
		"truncated":  {saw(judge.Agree, func(o *observe.Observation) { o.Truncated = true }), "steps did not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := runText(t, &fakeTracer{answers: []trial.Seen{two, two, c.answer}}, plain)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			rep.Results[0].AppendText(&out)
			if rep.Failed != 1 || !strings.Contains(out.String(), c.want) || !strings.Contains(out.String(), "failed  test:5 a: write pos=0 len=4K") {
				t.Errorf("report:\n%s", out.String())
			}
		})
	}
}

func TestRunAllowsAVerdictThatIsWrittenDown(t *testing.T) {
	ok := saw(judge.Agree, nil)
	rep, err := runText(t, &fakeTracer{answers: []trial.Seen{ok, ok, saw(judge.Unsafe, nil)}}, plain+"expect all verdict=unsafe\n")
	if err != nil || rep.Passed != 1 {
		t.Errorf("%s, %v", rep.Summary(), err)
	}
	rep, err = runText(t, &fakeTracer{answers: []trial.Seen{ok, ok, saw(judge.Undecided, nil)}}, plain)
	if err != nil || rep.Passed != 1 || rep.Undecided != 1 {
		t.Errorf("%s, %d undecided, %v", rep.Summary(), rep.Undecided, err)
	}
}

func TestRunNotSeen(t *testing.T) {
	rep, err := runText(t, &fakeTracer{late: true}, plain)
	if err != nil || rep.Failed != 1 || !strings.Contains(rep.Results[0].Reason, "not seen in time: 0 of 2 writes") {
		t.Errorf("%+v, %v", rep.Results, err)
	}
	boom := errors.New("boom")
	if _, err := runText(t, &fakeTracer{err: boom}, plain); !errors.Is(err, boom) {
		t.Errorf("error %v, want the tracer's", err)
	}
}

func TestRunSkips(t *testing.T) {
	for name, text := range map[string]string{
		"sectors of":        "requires sector=1\n" + plain,
		"the file's blocks": strings.Replace(plain, "setup prime", "setup layout H7\nsetup prime", 1),
	} {
		rep, err := runText(t, &fakeTracer{}, text)
		if err != nil || rep.Skipped != 1 || !strings.Contains(rep.Results[0].Reason, name) {
			t.Errorf("%s: %+v, %v", name, rep.Results, err)
		}
	}
}

// TestRunElsewhere: scenarios for blocks of another size are not what this file
// system is about.
func TestRunElsewhere(t *testing.T) {
	rep, err := runText(t, &fakeTracer{}, "requires blocksize=512\n"+plain)
	if err != nil || rep.Elsewhere != 1 || len(rep.Results) != 0 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// TestRunNeverCurrent: a kernel that always refuses to update timestamps under NOWAIT
// is wrong, and not a reason to leave the write out.
func TestRunNeverCurrent(t *testing.T) {
	f := &fakeTracer{}
	for range 2 + 2*freshTries {
		f.answers = append(f.answers, saw(judge.Agree, func(o *observe.Observation) {
			o.Stages, o.FmodRet, o.FmodKnown = record.StageFmod, -11, true
		}))
	}
	rep, err := runText(t, f, strings.Replace(plain, "len=4K\n", "len=4K fresh=4K\n", 1))
	if err != nil || rep.Failed != 1 || !strings.Contains(rep.Results[0].Reason, "in each of 300 tries") {
		t.Errorf("%+v, %v", rep.Results, err)
	}
}

// TestRunComparesBytes: the file of a scenario is compared with what it has to hold.
func TestRunComparesBytes(t *testing.T) {
	scs, err := Parse("test", []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []bool{false, true} {
		r := &Runner{Variant: model.Linux73, Tracer: &fakeTracer{}, Keep: true}
		if fault {
			r.Fault = func(_ string, expected []byte) { expected[5000]++ }
		}
		dir := t.TempDir()
		rep, err := r.Run(context.Background(), dir, scs)
		if errors.Is(err, workload.ErrUnfit) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if fault {
			if rep.Files != 0 || len(rep.WrongFiles) != 1 || len(rep.WrongFiles[0].Why) != 3 {
				t.Errorf("%d files right, wrong: %+v", rep.Files, rep.WrongFiles)
			}
			continue
		}
		if rep.Files != 1 || len(rep.WrongFiles) != 0 {
			t.Errorf("%d files right, wrong: %+v", rep.Files, rep.WrongFiles)
		}
		name := filepath.Join(dir, DirName, workload.FileName("a"))
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[100]++
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := rep.Verify(context.Background(), dir); err != nil || len(rep.WrongFiles) != 1 || rep.WrongFiles[0].Scenario != "a" {
			t.Errorf("after mounting again: %+v, %v", rep.WrongFiles, err)
		}
		if _, err := os.Stat(filepath.Dir(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the directory is still there: %v", err)
		}
	}
}

func TestRunComparesTheLastAttempt(t *testing.T) {
	ok := saw(judge.Agree, nil)
	first := saw(judge.Agree, func(o *observe.Observation) {
		o.Flags, o.Ret, o.Dio = 0x8, -11, false
	})
	text := strings.Replace(plain, "write pos", "write engine=io_uring pos", 1)
	rep, err := runText(t, &fakeTracer{answers: []trial.Seen{ok, ok, first, ok}}, text)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Skipped == 1 {
		t.Skip(rep.Results[0].Reason)
	}
	if rep.Passed != 1 || len(rep.Results[0].Seen) != 2 {
		t.Errorf("%+v", rep.Results)
	}
}

// TestJudge: a report can be judged again under another variant.
func TestJudge(t *testing.T) {
	scs, err := Parse("test", []byte("scenario a\nwrite pos=0 len=4K\nexpect linux-7.3 lock=shared ret=4K\nexpect linux-6.1 lock=exclusive\n"+
		"expect linux-6.12,linux-7.2,base,patch3,patch4,series-v2 lock=shared\n"))
	if err != nil {
		t.Fatal(err)
	}
	rep := &Report{Results: []Result{
		{expect: scs[0].Steps[0].Write.Expect, Seen: []trial.Seen{saw(judge.Agree, nil)}, out: workload.Result{N: 4096}},
		{Status: Skipped, Reason: "needs a moon"},
	}}
	for _, tt := range []struct {
		v         model.Variant
		diffs     int
		unwritten bool
	}{
		{model.Linux73, 0, false},
		{model.Linux61, 1, false},
		{model.Linux61.WithPatch(2, true), 1, false},
		{model.Linux73.WithPatch(1, false), 0, true},
		{model.Linux73, 0, false},
	} {
		rep.Judge(tt.v, 0)
		res := &rep.Results[0]
		if len(res.Diffs) != tt.diffs || rep.NoExpectations != tt.unwritten || rep.Skipped != 1 || res.Seen[0].Verdict.Variant != tt.v {
			t.Errorf("%s: %+v, unwritten %v", tt.v, res, rep.NoExpectations)
		}
	}
}

// Every layout of the scenarios that come with the program can be made, and
// every write issued, on the file system at hand.
func TestBuiltinSetsUp(t *testing.T) {
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("needs root, and some seconds")
	}
	scs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Variant: model.Linux73, Tracer: &fakeTracer{}}
	rep, err := r.Run(context.Background(), t.TempDir(), scs)
	if errors.Is(err, workload.ErrUnfit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range rep.Results {
		if res.Status == Skipped && !strings.HasPrefix(res.Reason, "needs ") && !strings.Contains(res.Reason, "io_uring") {
			t.Errorf("%s:%d: %s", res.Theme, res.Line, res.Reason)
		}
	}
}
