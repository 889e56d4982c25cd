package export

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// A summary of no write begins with those that were left out; otherwise they have a line
// behind that of the writes. What a trace of before does not tell of is not put down to a
// filter.
func TestLeftOut(t *testing.T) {
	counts := func(c record.Counters) record.Losses { return record.Losses{Counters: c} }
	for _, c := range []struct {
		name   string
		s      Summary
		starts string
		has    string
	}{
		{"all left out", Summary{Losses: counts(record.Counters{Filtered: 5, NotPid: 3, NotTree: 2})},
			"NOTHING SEEN: 5 direct writes were made and left out: 3 by --pid, 2 of processes that the command did not start", "(--all shows them)\nwrites:   0 issued"},
		{"an old trace", Summary{Losses: counts(record.Counters{Filtered: 1})}, "NOTHING SEEN: 1 direct write was made and left out: 1 by a filter\n", ""},
		{"some left out", Summary{Totals: Totals{Part: Part{Writes: 2}}, Losses: counts(record.Counters{Seen: 2, Filtered: 4, NotCgroup: 4})},
			"writes:   2 issued", "\nleft out: 4 by --cgroup\nlock:"},
		{"all too quick", Summary{Losses: counts(record.Counters{Seen: 7, TooFast: 7, Filtered: 1, NotDev: 1})},
			"writes:   0 issued", "\nquicker:  7 writes, not shown because of --min-latency\nleft out: 1 by --dev\n"},
		{"none made", Summary{}, "writes:   0 issued", ""},
	} {
		var b strings.Builder
		if _, err := c.s.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.HasPrefix(got, c.starts) || !strings.Contains(got, c.has) {
			t.Errorf("%s:\n%s", c.name, got)
		}
		if got := c.s.NothingSeen() != ""; got != strings.HasPrefix(c.starts, "NOTHING") {
			t.Errorf("%s: nothing seen is %v", c.name, got)
		}
	}
}

// The tracer's numbers are shown, and those of a process that its namespace does not have
// are marked.
func TestForeign(t *testing.T) {
	r := Row{Pid: 7, Tid: 8, Comm: "w", GlobalPid: 1007, GlobalTid: 1008, Foreign: Some(false)}
	if got := r.Numbers(); got != "pid 7, tid 8 (in the first pid namespace 1007 and 1008)" || r.Thread() != 1008 || r.Process().Number() != "7" {
		t.Errorf("%s, thread %d, process %s", got, r.Thread(), r.Process().Number())
	}
	r = Row{Pid: 7, Tid: 8, Comm: "w", Foreign: Some(true)}
	if got := r.Process(); got.Number() != "7*" || got.ProcessNumber == (ProcessNumber{Pid: 7}) {
		t.Errorf("%+v is %s", got, got.Number())
	}
	if line := string((&Text{}).Append(nil, &r)); !strings.Contains(line, " 7* w ") {
		t.Errorf("a line has %q", line)
	}
}
