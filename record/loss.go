package record

import (
	"fmt"
	"reflect"
	"strings"
)

// Losses is everything known to be missing from a capture, by cause.
type Losses struct {
	Counters
	// MissedEntry counts entries of the write function for which the kernel
	// skipped our program (recursion, nested kprobe): writes never seen.
	MissedEntry uint64
	// MissedReturn counts return probes that found no free instance.
	MissedReturn uint64
	// MissedInner counts skipped programs of the probes inside a write. Most of
	// the writes that this hits are incomplete; but a skipped lookup or zeroing
	// looks like one that did not happen, so nothing is proven then.
	MissedInner uint64
	// Malformed counts raw records that could not be parsed.
	Malformed uint64
	// Unfinished counts writes still inside the kernel when tracing ended.
	Unfinished uint64
}

// All lists the counters in the order in which a trace file has them. It is append-only:
// those come first that are hardly ever zero.
func (l *Losses) All() [NumCounters + 5]*uint64 {
	return [...]*uint64{
		&l.Seen, &l.Sent, &l.Bytes, &l.Queued, &l.Completed, &l.Filtered, &l.TooFast, &l.Started,
		&l.Unfinished, &l.LostRing, &l.LostComplete, &l.LostMap, &l.LostReturn, &l.LostDepth, &l.LostAIO,
		&l.StepsLost, &l.MissedEntry, &l.MissedReturn, &l.MissedInner, &l.Malformed,
		&l.NotPid, &l.NotDev, &l.NotIno, &l.NotPath, &l.NotCgroup, &l.NotTree, &l.NotComm, &l.NotSample,
		&l.LostHold, &l.LostBudget,
	}
}

// Since is what was counted after base, which is an earlier reading of the same counters.
func (l Losses) Since(base Losses) Losses {
	before := base.All()
	for i, n := range l.All() {
		*n -= min(*n, *before[i])
	}
	return l
}

// Lost is the number of writes that were issued while tracing, passed the
// filter, and are missing from the stream.
func (l Losses) Lost() uint64 {
	return l.LostRing + l.LostMap + l.LostReturn + l.LostDepth + l.MissedEntry + l.Malformed
}

// Any reports whether anything at all is missing, completions included.
func (l Losses) Any() bool { return l.Lost()+l.LostComplete+l.LostAIO+l.MissedReturn+l.MissedInner > 0 }

// String lists the causes that are not zero, or says that nothing was lost.
func (l Losses) String() string {
	var parts []string
	add := func(n uint64, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(l.LostRing, "writes: ring buffer full (try --ring)")
	add(l.LostMap, "writes: too many in flight (try --inflight)")
	add(l.LostReturn, "writes: return not seen")
	add(l.LostDepth, "writes: nested too deep")
	add(l.MissedEntry, "writes: entry probe skipped by the kernel")
	add(l.Malformed, "malformed records")
	add(l.MissedReturn, "return probes without a free instance")
	add(l.MissedInner, "probes inside a write skipped by the kernel, so that agreement proves nothing")
	add(l.LostComplete, "completions: ring buffer full (try --ring)")
	add(l.LostAIO, "completions not matched")
	add(l.LostHold, "holders of i_rwsem that are no writes (try --ring)")
	add(l.LostBudget, "budgets (try --ring)")
	if len(parts) == 0 {
		return "none lost"
	}
	return strings.Join(parts, ", ")
}

// LeftOut lists the filters by which writes were left out, with how many; empty when none
// were. Those that a command did not make come last, and old traces do not say which
// filter it was.
func (l Losses) LeftOut() string {
	var parts []string
	rest := l.Filtered
	add := func(n uint64, format string) {
		rest -= min(rest, n)
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, n))
		}
	}
	add(l.NotPid, "%d by --pid")
	add(l.NotDev, "%d by --dev")
	add(l.NotIno, "%d by --ino")
	add(l.NotPath, "%d by --path")
	add(l.NotCgroup, "%d by --cgroup")
	add(l.NotComm, "%d by --comm")
	add(l.NotTree, "%d of processes that the command did not start, loop devices among them (--all shows them)")
	add(l.NotSample, "%d not in the sample")
	add(rest, "%d by a filter")
	return strings.Join(parts, ", ")
}

// CountersFrom names the counters of struct counters, in its order.
func CountersFrom(v [NumCounters]uint64) (c Counters) {
	to := reflect.ValueOf(&c).Elem()
	for i, n := range v {
		to.Field(i).SetUint(n)
	}
	return c
}
