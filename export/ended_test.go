package export

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/request"
	"github.com/ext4dio/ext4dio-trace/record"
)

func endedRow(ret, unwritten int64, refused, failed observe.Point) Row {
	return Row{
		Ret: Some(ret), Unwritten: unwritten,
		Refused:  Opt[observe.Point]{V: refused, Known: refused != 0},
		FailedAt: Opt[observe.Point]{V: failed, Known: failed != 0},
	}
}

// TestEnded: what was refused, failed or fell short stands in the summary, with where and
// how much; and what was refused is not counted as bytes that are missing.
func TestEnded(t *testing.T) {
	s := Summary{Requests: request.Stats{Tries: 12, Refused: 3, Retried: 2, Unknown: 1}}
	for _, r := range []Row{
		endedRow(4096, 0, 0, 0),
		endedRow(-11, 4096, observe.AtAllocation, 0), endedRow(-11, 4096, observe.AtAllocation, 0), endedRow(-95, 4096, observe.AtBuffered, 0),
		endedRow(-22, 100, 0, observe.AtSubmit), endedRow(-22, 100, 0, observe.AtSubmit), endedRow(-28, 8192, 0, observe.AtAllocation),
		endedRow(512, 512, 0, 0),
	} {
		s.Totals.Add(&r)
	}
	var b strings.Builder
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"requests: 10 in 12 tries: 2 refused and retried, 1 refused without a retry in the trace, 1 by io-wq without an earlier try in the trace\n",
		"refused:  3 by NOWAIT: 2 allocation, 1 buffered\n",
		"failed:   3: 2 -EINVAL at submission, 1 -ENOSPC at allocation; 1 short; 8904 bytes not written\n",
	} {
		if !strings.Contains(b.String(), "\n"+want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
	js, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"requests":10,"retried":2,"refused_for_good":1,"first_try_unknown":1`, `"refused":[{"at":"allocation","writes":2},{"at":"buffered","writes":1}]`,
		`"failed":[{"errno":"-EINVAL","at":"submission","writes":2},{"errno":"-ENOSPC","at":"allocation","writes":1}],"short":1,"unwritten_bytes":8904`,
	} {
		if !strings.Contains(string(js), want) {
			t.Errorf("no %s in %s", want, js)
		}
	}
	c := s.Totals.Clone()
	r := endedRow(-28, 8192, 0, observe.AtAllocation)
	if c.Add(&r); s.Totals.Failures()[1].N != 1 || c.Failures()[1].N != 2 {
		t.Error("a clone shares its counts")
	}
}

// TestNothingEnded: where each write is a request of its own, nothing is said of tries.
func TestNothingEnded(t *testing.T) {
	s := Summary{Requests: request.Stats{Tries: 1}}
	r := endedRow(4096, 0, 0, 0)
	s.Totals.Add(&r)
	var b strings.Builder
	if _, err := s.WriteTo(&b); err != nil || strings.Contains(b.String(), "requests:") || strings.Contains(b.String(), "failed:") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestProcesses: a process is one line whoever of its threads wrote, and io-wq for it.
func TestProcesses(t *testing.T) {
	var b Breakdown
	for _, r := range []Row{
		{Pid: 7, Comm: "mariadbd", Caller: record.CallerIOUring}, {Pid: 7, Comm: "mariadbd", Caller: record.CallerIOUring},
		{Pid: 7, Comm: "mariadbd", Caller: record.CallerIOWQ},
		{Pid: 7, Comm: "iou-wrk-9", Caller: record.CallerIOWQ}, // of an old trace
		{Pid: 7, Comm: "ib_log", Caller: record.CallerSync},
		{Pid: 8, Comm: "iou-wrk-8", Caller: record.CallerIOWQ},
		{Pid: 9, Comm: "sqpoll", Caller: record.CallerIOWQ, KiFlags: KiNowait}, {Pid: 9, Comm: "sqpoll", Caller: record.CallerIOUring},
	} {
		b.Add(&r)
	}
	var got []string
	for _, n := range b.byProcess() {
		got = append(got, n.Name)
		for _, th := range n.Threads {
			got = append(got, "  "+th.Name)
		}
	}
	want := []string{"mariadbd (pid 7)", "  mariadbd", "  by io-wq", "  by io-wq for mariadbd", "  ib_log", "sqpoll (pid 9)", "pid 8, by io-wq"}
	slices.Sort(got[1:5])
	slices.Sort(want[1:5])
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	js, err := b.JSON(nil)
	var out struct {
		Processes []struct {
			Pid     int
			Comm    string
			Writes  int
			Threads []struct{ Comm string }
		}
	}
	if err != nil || json.Unmarshal(js, &out) != nil || len(out.Processes) != 3 || out.Processes[0].Writes != 5 || len(out.Processes[0].Threads) != 4 {
		t.Errorf("%v: %s", err, js)
	}
}
