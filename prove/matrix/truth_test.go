package matrix

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// truth is one thing that testdata/holders did to a file, from before its system call until
// after it. Tid 0 is any thread of the process, and Pid 0 a worker of the kernel whose name
// begins with Comm.
type truth struct {
	Scenario   string
	Op         string
	Tid, Pid   uint32
	Comm       string
	Ino        uint64
	Start, End uint64
}

// waitedRow is what is compared of a line of JSON.
type waitedRow struct {
	TimeNs    uint64  `json:"time_ns"`
	LatencyNs *uint64 `json:"latency_ns"`
	Pid, Tid  uint32
	Ino       uint64
	Refused   *string
	Waits     []waitOf
}

type waitOf struct {
	Ns      uint64
	Mode    *string
	AtUs    *uint64 `json:"at_us"` // of its end, since the entry
	Holders []holderOf
}

type holderOf struct {
	Ns     uint64
	Cause  string
	Mode   *string
	Op     *string
	Comm   *string
	Pid    *uint32
	Tid    *uint32
	Others int
	Bound  bool

	DrainNs     *uint64 `json:"drain_ns"`
	DrainWrites *int    `json:"drain_writes"`
	Behind      []holderOf
}

func (h *holderOf) String() string {
	text := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	number := func(n *uint32) string {
		if n == nil {
			return "null"
		}
		return fmt.Sprint(*n)
	}
	return fmt.Sprintf("%d us %s by %s, %s tid %s, %s, and %d others", h.Ns/1000, h.Cause, text(h.Op), text(h.Comm), number(h.Tid), text(h.Mode), h.Others)
}

// attribution is how much of what was waited was said to be for whom it was, ns.
type attribution struct {
	Writes, Seen                                 int // that were made, and that there are rows of
	Waits                                        int
	Waited, Right, Unknown, Wrong, Queued, Woken uint64
	Behind                                       map[string]int // waits behind another in the queue, by for whom that one waited
	Drained                                      int            // holders that waited for so many writes in flight, the most
	Faults                                       []string       // some of what is wrong
}

func (a *attribution) share(ns uint64) float64 { return float64(ns) / float64(max(a.Waited, 1)) }

// attribute compares for whom writes are said to have waited with what was done, for each
// scenario. What is said is right as far as the one who is named did what is said while the
// wait lasted. More than that, and what cannot be, is wrong.
func attribute(rows []waitedRow, done []truth) map[string]*attribution {
	of, ops := map[uint64]*attribution{}, map[uint64][]truth{}
	names := map[string]*attribution{}
	for _, d := range done {
		if names[d.Scenario] == nil {
			names[d.Scenario] = &attribution{Behind: map[string]int{}}
		}
		of[d.Ino] = names[d.Scenario]
		ops[d.Ino] = append(ops[d.Ino], d)
		if d.Op == "write" {
			of[d.Ino].Writes++
		}
	}
	for i := range rows {
		if a := of[rows[i].Ino]; a != nil {
			a.row(&rows[i], ops[rows[i].Ino])
		}
	}
	return names
}

func (a *attribution) row(r *waitedRow, done []truth) {
	if r.Refused == nil {
		a.Seen++
	}
	for i := range r.Waits {
		w := &r.Waits[i]
		a.Waits++
		a.Waited += w.Ns
		sum := uint64(0)
		for k := range w.Holders {
			a.part(r, w, &w.Holders[k], done)
			sum += w.Holders[k].Ns
		}
		if sum != w.Ns {
			a.fault(max(sum, w.Ns)-min(sum, w.Ns), "tid %d: the parts of a wait of %d ns add up to %d", r.Tid, w.Ns, sum)
		}
	}
}

func (a *attribution) fault(ns uint64, format string, args ...any) {
	a.Wrong += ns
	if len(a.Faults) < 20 {
		a.Faults = append(a.Faults, fmt.Sprintf(format, args...))
	}
}

// cut is what the tracer leaves out of the times of waits, which are in microseconds.
const cut = 2000

func (a *attribution) part(r *waitedRow, w *waitOf, h *holderOf, done []truth) {
	if h.Cause == "unknown" || h.Op == nil || h.Tid == nil || h.Pid == nil {
		a.Unknown += h.Ns
		return
	}
	if h.Cause == "queued" {
		a.Queued += h.Ns
	}
	if h.DrainNs != nil && *h.DrainNs > 0 && h.DrainWrites != nil {
		a.Drained = max(a.Drained, *h.DrainWrites)
	}
	if why := impossible(r, w, h); why != "" {
		a.fault(h.Ns, "tid %d: %s: %s", r.Tid, h, why)
		return
	}
	from, to := interval(r, w)
	for i := range h.Behind {
		b := &h.Behind[i]
		a.Behind[*b.Op]++
		if *b.Tid == *h.Tid || union(done, from, to, b.is) == 0 {
			a.fault(b.Ns, "tid %d at %d: %s, which waits for %s", r.Tid, from, h, b)
		}
	}
	right := uint64(0)
	did := union(done, from, to, h.is)
	if did == 0 && strings.HasPrefix(*h.Op, "unknown") && union(done, from, to, h.who) > 0 {
		a.Unknown += h.Ns
		return
	}
	if did > 0 {
		if h.Others > 0 {
			did = union(done, from, to, func(d *truth) bool { return h.is(d) || sharable(d.Op) })
		}
		right = min(h.Ns, did+cut)
	}
	if did > 0 && h.Cause == "woken" { // after it had let go of the lock
		right = h.Ns
		a.Woken += h.Ns
	}
	a.Right += right
	switch {
	case right > 0 && h.Bound:
		a.Unknown += h.Ns - right
	case right < h.Ns:
		a.fault(h.Ns-right, "tid %d at %d: %s: it did that for %d us of these", r.Tid, from, h, right/1000)
	}
}

// impossible says why nobody can be waited for so, whatever was done.
func impossible(r *waitedRow, w *waitOf, h *holderOf) string {
	shared := func(mode *string) bool { return mode != nil && *mode == "shared" }
	switch {
	case *h.Tid == r.Tid:
		return "it waits for itself"
	case shared(w.Mode) && shared(h.Mode):
		return "shared does not wait for shared"
	case shared(h.Mode) && !sharable(*h.Op):
		return "it takes the lock exclusive"
	}
	return ""
}

func sharable(op string) bool { return op == "write" || op == "direct-write" || op == "direct-read" }

// interval is when a wait was; where that is not known, the whole write.
func interval(r *waitedRow, w *waitOf) (from, to uint64) {
	switch {
	case w.AtUs != nil:
		to = r.TimeNs + *w.AtUs*1000 + 1000
		return to - 1000 - min(w.Ns, to-1000), to
	case r.LatencyNs != nil:
		return r.TimeNs, r.TimeNs + *r.LatencyNs
	}
	return r.TimeNs, ^uint64(0)
}

// is reports whether it is the one who did d, and that is what is said.
func (h *holderOf) is(d *truth) bool {
	return h.who(d) && (*h.Op == d.Op || d.Op == "unknown" && strings.HasPrefix(*h.Op, "unknown:"))
}

// who reports whether it is the one who did d.
func (h *holderOf) who(d *truth) bool {
	if d.Pid == 0 {
		return *h.Pid == *h.Tid && h.Comm != nil && strings.HasPrefix(*h.Comm, d.Comm)
	}
	return *h.Pid == d.Pid && (d.Tid == 0 || *h.Tid == d.Tid)
}

// union is how much of the time between from and to somebody did what matches.
func union(done []truth, from, to uint64, matches func(*truth) bool) (ns uint64) {
	var found []truth
	for i := range done {
		if d := &done[i]; d.Start < to && d.End > from && matches(d) {
			found = append(found, *d)
		}
	}
	slices.SortFunc(found, func(a, b truth) int { return int(int64(a.Start - b.Start)) })
	at := from
	for _, d := range found {
		if end := min(d.End, to); end > max(d.Start, at) {
			ns += end - max(d.Start, at)
			at = end
		}
	}
	return ns
}

// TestTruth: what is right, unknown and wrong of one wait, in microseconds. It is one of
// thread 9 from 100 to 200 us; thread 5 of process 4 truncates from 50 to 150, threads 6 and
// 7 read until 180 and from 180 on, and workers of the kernel may punch holes all the time.
func TestTruth(t *testing.T) {
	const us = 1000
	done := []truth{
		{"s", "truncate", 5, 4, "", 1, 50 * us, 150 * us},
		{"s", "direct-read", 6, 4, "", 1, 20 * us, 180 * us},
		{"s", "direct-read", 7, 4, "", 1, 180 * us, 300 * us},
		{"s", "unknown", 8, 4, "", 1, 50 * us, 300 * us},
		{"s", "write", 0, 4, "", 1, 50 * us, 300 * us},
		{"s", "fallocate:punch-hole", 0, 0, "kworker/", 1, 0, 300 * us},
		{"s", "truncate", 11, 4, "", 1, 210 * us, 300 * us},
		{"s", "truncate", 12, 4, "", 2, 50 * us, 300 * us},
	}
	part := func(ns uint64, cause, mode, op, comm string, pid, tid uint32, others int) []holderOf {
		return []holderOf{{Ns: ns * us, Cause: cause, Mode: &mode, Op: &op, Comm: &comm, Pid: &pid, Tid: &tid, Others: others}}
	}
	behind := func(parts, others []holderOf) []holderOf { parts[0].Behind = others; return parts }
	bound := func(parts []holderOf) []holderOf { parts[0].Bound = true; return parts }
	for _, tt := range []struct {
		name                  string
		mode                  string
		parts                 []holderOf
		right, unknown, wrong uint64
	}{
		{"the one who did it", "shared", slices.Concat(part(50, "held", "exclusive", "truncate", "x", 4, 5, 0), []holderOf{{Ns: 50 * us, Cause: "unknown"}}), 50, 50, 0},
		{"another operation", "shared", part(100, "held", "exclusive", "setattr", "x", 4, 5, 0), 0, 0, 100},
		{"another thread", "shared", part(100, "held", "exclusive", "truncate", "x", 4, 10, 0), 0, 0, 100},
		{"another process", "shared", part(100, "held", "exclusive", "truncate", "x", 3, 5, 0), 0, 0, 100},
		{"the right one at another time", "shared", part(100, "held", "exclusive", "truncate", "x", 4, 11, 0), 0, 0, 100},
		{"the right one of another file", "shared", part(100, "held", "exclusive", "truncate", "x", 4, 12, 0), 0, 0, 100},
		{"the right one for too long", "shared", part(100, "held", "exclusive", "truncate", "x", 4, 5, 0), 52, 0, 48},
		{"the right one for at most that long", "shared", bound(part(100, "held", "exclusive", "truncate", "x", 4, 5, 0)), 52, 48, 0},
		{"another thread for at most that long", "shared", bound(part(100, "held", "exclusive", "truncate", "x", 4, 10, 0)), 0, 0, 100},
		{"nobody", "shared", []holderOf{{Ns: 100 * us, Cause: "unknown"}}, 0, 100, 0},
		{"an operation of nobody", "shared", []holderOf{{Ns: 100 * us, Cause: "held", Op: new(string)}}, 0, 100, 0},
		{"less than the wait", "shared", part(40, "held", "exclusive", "truncate", "x", 4, 5, 0), 40, 0, 60},
		{"shared with another", "exclusive", part(100, "held", "shared", "direct-read", "x", 4, 6, 1), 100, 0, 0},
		{"shared with nobody", "exclusive", part(100, "held", "shared", "direct-read", "x", 4, 6, 0), 82, 0, 18},
		{"shared with another by one who did not", "exclusive", part(100, "held", "shared", "direct-read", "x", 4, 5, 1), 0, 0, 100},
		{"itself", "shared", part(100, "held", "exclusive", "write", "x", 4, 9, 0), 0, 0, 100},
		{"shared for shared", "shared", part(100, "held", "shared", "direct-read", "x", 4, 6, 1), 0, 0, 100},
		{"a shared truncate", "exclusive", part(50, "held", "shared", "truncate", "x", 4, 5, 0), 0, 0, 100},
		{"a worker of the kernel", "shared", part(100, "held", "exclusive", "fallocate:punch-hole", "kworker/u4:1", 77, 77, 0), 100, 0, 0},
		{"a thread that is none", "shared", part(100, "held", "exclusive", "fallocate:punch-hole", "kworker/u4:1", 4, 77, 0), 0, 0, 100},
		{"a kernel function that is not known", "shared", part(100, "held", "exclusive", "unknown:vfs_x", "x", 4, 8, 0), 100, 0, 0},
		{"no function, the right thread", "shared", part(100, "queued", "exclusive", "unknown", "x", 4, 8, 0), 100, 0, 0},
		{"a known function of one that is unknown", "shared", part(100, "held", "exclusive", "truncate", "x", 4, 8, 0), 0, 0, 100},
		{"the right one of whom no more is known", "shared", part(50, "held", "exclusive", "unknown", "x", 4, 5, 0), 0, 50, 50},
		{"somebody else of whom no more is known", "shared", part(100, "held", "exclusive", "unknown", "x", 3, 10, 0), 0, 0, 100},
		{"behind one who waits for a reader", "shared", behind(part(50, "queued", "exclusive", "truncate", "x", 4, 5, 0), part(50, "held", "shared", "direct-read", "x", 4, 6, 0)), 50, 0, 50},
		{"behind one who waits for a reader of another time", "shared", behind(part(100, "queued", "exclusive", "unknown", "x", 4, 8, 0), part(70, "held", "shared", "direct-read", "x", 4, 5, 0)), 100, 0, 70},
		{"woken after the right one", "shared", part(100, "woken", "exclusive", "truncate", "x", 4, 5, 0), 100, 0, 0},
		{"woken after one who did nothing", "shared", part(100, "woken", "exclusive", "truncate", "x", 4, 11, 0), 0, 0, 100},
		{"any thread of the process", "exclusive", part(100, "held", "exclusive", "write", "x", 4, 99, 0), 100, 0, 0},
	} {
		latency, at := uint64(500*us), uint64(200)
		r := waitedRow{TimeNs: 0, LatencyNs: &latency, Tid: 9, Pid: 4, Ino: 1, Waits: []waitOf{{Ns: 100 * us, Mode: &tt.mode, AtUs: &at, Holders: tt.parts}}}
		a := attribute([]waitedRow{r}, done)["s"]
		if a.Waits != 1 || a.Waited != 100*us || a.Right/us != tt.right || a.Unknown/us != tt.unknown || a.Wrong/us != tt.wrong || (a.Wrong > 0) != (a.Faults != nil) {
			t.Errorf("%s: %d us right, %d unknown, %d wrong, want %d, %d, %d: %q", tt.name, a.Right/us, a.Unknown/us, a.Wrong/us, tt.right, tt.unknown, tt.wrong, a.Faults)
		}
		if got := a.Behind["direct-read"]; got != len(tt.parts[0].Behind) {
			t.Errorf("%s: %d wait behind one that waits for reads", tt.name, got)
		}
		if a.Writes != 1 || a.Seen != 1 {
			t.Errorf("%s: %d writes, %d seen", tt.name, a.Writes, a.Seen)
		}
	}
}
