package record

import (
	"fmt"
	"strings"
)

// Counters sums struct counters of bpf/record.h over all CPUs, in its order.
type Counters struct {
	Seen         uint64 // direct writes that passed the filter
	Filtered     uint64 // direct writes that did not
	Sent         uint64 // write records sent
	Completed    uint64 // completion records sent
	Queued       uint64 // writes that returned -EIOCBQUEUED
	LostRing     uint64 // write records that found the ring full
	LostComplete uint64 // completion records that found the ring full
	LostMap      uint64 // writes without room in the in-flight map
	LostReturn   uint64 // writes whose return was never seen
	LostDepth    uint64 // writes nested too deep
	StepsLost    uint64 // steps that did not fit in their record
	LostAIO      uint64 // asynchronous writes whose completion cannot be matched
	Started      uint64 // returns of writes that began before tracing
	Bytes        uint64 // bytes sent into the ring
	TooFast      uint64 // writes below the minimum latency, not sent
}

// NumCounters is the number of fields in Counters, all uint64.
const NumCounters = 15

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

// Since is what was counted after base, which is an earlier reading of the same counters.
func (l Losses) Since(base Losses) Losses {
	less := func(n *uint64, by uint64) { *n -= min(*n, by) }
	for _, c := range []struct {
		n  *uint64
		by uint64
	}{
		{&l.Seen, base.Seen}, {&l.Filtered, base.Filtered}, {&l.Sent, base.Sent}, {&l.Completed, base.Completed}, {&l.Queued, base.Queued},
		{&l.LostRing, base.LostRing}, {&l.LostComplete, base.LostComplete}, {&l.LostMap, base.LostMap}, {&l.LostReturn, base.LostReturn},
		{&l.LostDepth, base.LostDepth}, {&l.StepsLost, base.StepsLost}, {&l.LostAIO, base.LostAIO}, {&l.Started, base.Started},
		{&l.Bytes, base.Bytes}, {&l.TooFast, base.TooFast}, {&l.MissedEntry, base.MissedEntry}, {&l.MissedReturn, base.MissedReturn},
		{&l.MissedInner, base.MissedInner}, {&l.Malformed, base.Malformed},
	} {
		less(c.n, c.by)
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
	if len(parts) == 0 {
		return "none lost"
	}
	return strings.Join(parts, ", ")
}

// CountersFrom names the counters of struct counters, in its order.
func CountersFrom(v [NumCounters]uint64) Counters {
	return Counters{
		Seen: v[0], Filtered: v[1], Sent: v[2], Completed: v[3], Queued: v[4],
		LostRing: v[5], LostComplete: v[6], LostMap: v[7], LostReturn: v[8],
		LostDepth: v[9], StepsLost: v[10], LostAIO: v[11], Started: v[12],
		Bytes: v[13], TooFast: v[14],
	}
}
