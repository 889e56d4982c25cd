package perfetto

import (
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// measured is a write of 100 us that was queued for the lock and slept, with its budget.
func measured() *observe.Observation {
	const spin, queue, rest, submit = record.BudgetSpin, record.BudgetQueue, record.BudgetRest, record.BudgetSubmit
	b := &observe.Budget{Submitted: 30_000, Spans: []observe.BudgetSpan{
		{Part: spin, At: 0, Ns: 2300}, {Part: queue, At: 2300, Ns: 16_500}, {Part: rest, At: 18_800, Ns: 1200},
		{Part: submit, At: 20_000, Ns: 10_000}, {Part: record.BudgetDevice, At: 30_000, Ns: 50_000},
		{Part: record.BudgetWakeup, At: 80_000, Ns: 8000}, {Part: record.BudgetConvert, At: 88_000, Ns: 11_000}, {Part: rest, At: 99_000, Ns: 1000},
	}}
	for _, s := range b.Spans {
		b.Ns[s.Part] += s.Ns
	}
	return &observe.Observation{
		Time: 1_000_000, Pid: 7, Tid: 8, Comm: "fio", Dev: 8 << 20, Ino: 14, Blkbits: 12, Dio: true, Lock: record.LockExclusive,
		Passes:   []observe.Pass{{Lock: record.LockExclusive, AtUs: 19}},
		Waits:    []observe.Wait{{Ns: 16_500, Lock: record.LockExclusive, AtUs: 19}},
		Sleeps:   []observe.Sleep{{Cause: record.SleepOwnIO, Ns: 50_000, AtUs: 86}},
		SubmitNs: 100_000, LatencyNs: 100_000, Caller: record.CallerSync, Budget: b,
	}
}

// The parts of a budget are slices of the task, one behind the other and all of the write;
// what the task waited and slept lies in them, cut where it lies in two.
func TestBudgetSlices(t *testing.T) {
	tr, _ := made(t, export.Clocks{}, rowOf(measured()))
	want := []span{
		{1_000_000, 1_100_000, "direct write, exclusive"},
		{1_000_000, 1_002_300, "budget: spin"},
		{1_002_300, 1_018_800, "budget: queue"},
		{1_002_500, 1_018_800, "wait, exclusive"},
		{1_018_800, 1_020_000, "budget: rest"},
		{1_020_000, 1_030_000, "budget: submit"},
		{1_030_000, 1_080_000, "budget: device"},
		{1_036_000, 1_080_000, "sleep: own-io"},
		{1_080_000, 1_088_000, "budget: wakeup"},
		{1_080_000, 1_086_000, "sleep: own-io"},
		{1_088_000, 1_099_000, "budget: convert"},
		{1_099_000, 1_100_000, "budget: rest"},
	}
	if got := nested(t, tr, "task fio"); !slices.Equal(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
	args := tr.byName["task fio"][0].events[0]
	if args.numbers["budget_device_ns"] != 50_000 || args.numbers["budget_queue_ns"] != 16_500 {
		t.Errorf("%+v", args)
	}
	for name := range args.numbers {
		if name == "budget_spin_without_place_ns" {
			t.Errorf("%s of a part that has its place", name)
		}
	}
}

// The parts of a queued write are of its task until that returns, and then of what is in flight.
func TestBudgetSlicesInFlight(t *testing.T) {
	o := measured()
	o.SubmitNs, o.Queued, o.Completed, o.Caller, o.Sleeps = 35_000, true, true, record.CallerLibaio, nil
	tr, _ := made(t, export.Clocks{}, rowOf(o))
	task := nested(t, tr, "task fio")
	if last := task[len(task)-1]; last != (span{1_030_000, 1_035_000, "budget: device"}) || task[0].to != 1_035_000 {
		t.Errorf("the task: %v", task)
	}
	want := []span{
		{1_035_000, 1_100_000, "libaio"},
		{1_035_000, 1_080_000, "budget: device"},
		{1_080_000, 1_088_000, "budget: wakeup"},
		{1_088_000, 1_099_000, "budget: convert"},
		{1_099_000, 1_100_000, "budget: rest"},
	}
	if got := nested(t, tr, kinds[inFlight].name); !slices.Equal(got, want) {
		t.Errorf("in flight\n%v, want\n%v", got, want)
	}
}

// What has no place has no slice, and says so.
func TestBudgetWithoutPlace(t *testing.T) {
	o := measured()
	o.Budget.Spans = o.Budget.Spans[4:7]
	o.Budget.Unknown, o.Budget.Missing = 1<<record.BudgetSpin, "begin of spin was not seen"
	tr, _ := made(t, export.Clocks{}, rowOf(o))
	for _, s := range nested(t, tr, "task fio") {
		if s.name == "budget: queue" || s.name == "budget: spin" {
			t.Errorf("%v has a place", s)
		}
	}
	e := tr.byName["task fio"][0].events[0]
	if e.numbers["budget_queue_without_place_ns"] != 16_500 || e.numbers["budget_rest_without_place_ns"] != 2200 ||
		e.texts["budget_incomplete"] != "begin of spin was not seen" {
		t.Errorf("%+v", e)
	}
	if _, known := e.numbers["budget_spin_ns"]; known {
		t.Error("a part that is not known has a number")
	}
}

// nested are the slices of one track in the order in which they begin, the outer ones first. It
// fails where one begins before the one before it, or ends behind the one around it.
func nested(t *testing.T, tr *trace, name string) []span {
	t.Helper()
	var out []span
	var open []int
	at := uint64(0)
	for _, e := range tr.byName[name][0].events {
		if e.at < at {
			t.Errorf("%s: %q at %d stands behind one at %d", name, e.name, e.at, at)
		}
		at = e.at
		switch e.typ {
		case typeBegin:
			open = append(open, len(out))
			out = append(out, span{e.at, 0, e.name})
		case typeEnd:
			out[open[len(open)-1]].to = e.at
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: %d without an end", name, len(open))
	}
	return out
}
