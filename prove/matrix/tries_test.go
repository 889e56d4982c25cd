package matrix

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// triesWrites is how many writes testdata/guest.sh makes of each workload.
const triesWrites = 120

// checked is what check --json says of the tries of a recording.
type checked struct {
	Seen      uint64
	Requests  uint64
	Retried   uint64
	NoFirst   uint64 `json:"first_try_unknown"`
	Abandoned uint64 `json:"refused_for_good"`
	Refused   []struct {
		At     string
		Writes uint64
	}
	Failed []struct {
		Errno, At string
		Writes    uint64
	}
	Short     uint64
	Unwritten uint64 `json:"unwritten_bytes"`
}

// tried: each write of a program is one request, however often the kernel was asked for
// it; who asked is known; and what was refused or failed is said, and where.
func (r *result) tried(t *testing.T) {
	t.Helper()
	for _, load := range []string{"io_uring", "io_uring-sqpoll", "nowait-pool"} {
		c := r.checkTries(t, load)
		if c.Requests != triesWrites || c.Seen != c.Requests+c.Retried || c.NoFirst+c.Abandoned != 0 || c.Retried == 0 {
			t.Errorf("%s: %+v, want %d requests, all of whose tries are known", load, c, triesWrites)
		}
		r.owned(t, load)
	}
	c := r.checkTries(t, "nowait")
	sum := uint64(0)
	for _, p := range c.Refused {
		sum += p.Writes
		if p.At == "unknown" {
			t.Errorf("%d writes are refused at a point that is not known", p.Writes)
		}
	}
	// A writer at the end of its file asks for the same piece again, as that has not grown.
	if c.Seen != triesWrites || c.Requests+c.Retried != c.Seen || sum != c.Abandoned+c.Retried || c.Abandoned == 0 {
		t.Errorf("nowait: %+v", c)
	}
	r.failures(t)
	r.explained(t)
}

// ask runs our program on a recording of the guest's.
func (r *result) ask(t *testing.T, load string, args ...string) []byte {
	t.Helper()
	args = append(args, filepath.Join(r.dir, "tries-"+load+".e4d"))
	out, err := exec.Command(program(t), args...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

func (r *result) checkTries(t *testing.T, load string) checked {
	t.Helper()
	if rc := r.status(t, "tries-"+load); rc != 0 {
		t.Errorf("record of %s ends with %d", load, rc)
	}
	var all struct {
		Traces []struct {
			Summary checked
			Counts  struct {
				Processes []struct{ Name string }
			}
		}
	}
	if err := json.Unmarshal(r.ask(t, load, "check", "--json"), &all); err != nil {
		t.Fatal(err)
	}
	if n := len(all.Traces[0].Counts.Processes); n != 1 && load != "failed" {
		t.Errorf("%s: %d processes wrote: %+v", load, n, all.Traces[0].Counts.Processes)
	}
	return all.Traces[0].Summary
}

// triedRow is a line of JSON.
type triedRow struct {
	Request   uint64
	Try       *int
	Comm      string
	Caller    string
	Flags     []string
	Ret       int64
	Refused   *string
	Ino       uint64
	Pos, Len  int64
	Time      int64 `json:"time_ns"`
	LatencyNs int64 `json:"latency_ns"`
	Verdict   string
}

func (r *result) rows(t *testing.T, load string) []triedRow {
	t.Helper()
	return writes[triedRow](t, string(r.ask(t, load, "export", "--format", "jsonl")))
}

// owned: the tries of a request follow each other, and their owner is the thread that asked.
func (r *result) owned(t *testing.T, load string) {
	t.Helper()
	last := map[uint64]triedRow{}
	for _, row := range r.rows(t, load) {
		before, again := last[row.Request]
		switch {
		case row.Try == nil || !again && *row.Try != 1 || again && *row.Try != *before.Try+1:
			t.Fatalf("%s: %+v after %+v", load, row, before)
		case again && (before.Refused == nil || row.Ino != before.Ino || row.Len != before.Len || row.Time < before.Time+before.LatencyNs):
			t.Fatalf("%s: %+v is no try after %+v", load, row, before)
		case strings.HasPrefix(row.Comm, "iou-wrk"):
			t.Fatalf("%s: written by %s", load, row.Comm)
		case load == "io_uring" && again && row.Comm != before.Comm:
			t.Fatalf("%s: %s asked, and %s wrote", load, before.Comm, row.Comm)
		}
		last[row.Request] = row
	}
}

// failures are those of testdata/failed.sh.
func (r *result) failures(t *testing.T) {
	t.Helper()
	c := r.checkTries(t, "failed")
	got := map[string]uint64{}
	for _, f := range c.Failed {
		got[f.Errno+" at "+f.At] += f.Writes
	}
	if got["-EINVAL at submission"] != 1 || got["-EFBIG at checks"] != 1 || c.Short != 1 || c.Unwritten != 100+4096+4096 {
		t.Errorf("failed.sh: %+v", c)
	}
}

// explained: a refused write says what refused it, and nothing is marked where it agrees.
func (r *result) explained(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, load := range []string{"nowait", "nowait-pool"} {
		for i, row := range r.rows(t, load) {
			if row.Refused == nil || seen[*row.Refused] || row.Verdict != "agree" {
				continue
			}
			seen[*row.Refused] = true
			text := string(r.ask(t, load, "explain", "--seq", strconv.Itoa(i+1), "--trace"))
			hole := strings.Contains(text, "refused: hole: no allocation under NOWAIT")
			if !strings.Contains(text, "refused: ") || strings.Contains(text, "\n* ") || hole != (*row.Refused == "allocation") {
				t.Errorf("explain of a write refused at %s:\n%s", *row.Refused, text)
			}
		}
	}
	// From patch 5 on it is mostly the time stamps that refuse a write before.
	holes := r.kernel.variant == "patch3" || r.kernel.variant == "patch4"
	if len(seen) == 0 || holes && !seen["allocation"] {
		t.Errorf("refused at %v", seen)
	}
	t.Logf("refused at %v", seen)
}
