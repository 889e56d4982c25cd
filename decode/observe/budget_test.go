package observe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// whole is the budget of a write of 100 us: all its parts are different, and add up.
func whole() record.Budget {
	return record.Budget{
		ID: 7, Total: 100_000,
		Spin: 1000, Queue: 2000, FailedPass: 3000, Lookup: 500, Drain: 600, Alloc: 4000, Zero: 700, Submit: 5000,
		Submitted: 18_000, BioEnd: 70_000, EndIo: 78_000,
		Convert: 9000, Sync: 10_000, Buffered: 0, Times: 200, Rest: 4000, Bios: 2, BiosEnded: 2,
	}
}

// Every mark that is missing or out of order makes the parts beside it unknown, and no
// others; what does not add up is not believed at all.
func TestMarksMakeParts(t *testing.T) {
	const device, wakeup, convert, rest = record.BudgetDevice, record.BudgetWakeup, record.BudgetConvert, record.BudgetRest
	for _, c := range []struct {
		name    string
		change  func(*record.Budget)
		missing string
		unknown []record.BudgetPart
	}{
		{"all there", func(*record.Budget) {}, "", nil},
		{"no bio", func(b *record.Budget) {
			b.Bios, b.BiosEnded, b.Submitted, b.BioEnd, b.EndIo, b.Rest = 0, 0, 0, 0, 0, b.Rest+60_000
		}, "", nil},
		{"buffered", func(b *record.Budget) { b.Buffered, b.Rest = b.Rest, 0 }, "", nil},
		{"end of a bio missed", func(b *record.Budget) { b.BiosEnded = 1 }, "2 bios were seen submitted, 1 to end",
			[]record.BudgetPart{device, wakeup, record.BudgetSubmit}},
		{"submission of a bio missed", func(b *record.Budget) { b.Bios = 1 }, "1 bios were seen submitted, 2 to end",
			[]record.BudgetPart{device, wakeup, record.BudgetSubmit}},
		{"no bio seen submitted", func(b *record.Budget) { b.Bios, b.Submitted = 0, 0 }, "0 bios were seen submitted, 2 to end",
			[]record.BudgetPart{device, wakeup, record.BudgetSubmit}},
		{"no bio seen to end", func(b *record.Budget) { b.BiosEnded, b.BioEnd = 0, 0 }, "2 bios were seen submitted, 0 to end",
			[]record.BudgetPart{device, wakeup, record.BudgetSubmit}},
		{"bio ends before it is submitted", func(b *record.Budget) { b.BioEnd = b.Submitted - 1 }, "the last bio ends before it begins",
			[]record.BudgetPart{device, wakeup}},
		{"bio ends after the write", func(b *record.Budget) { b.BioEnd = b.Total + 1 }, "the last bio ends before it begins, or after",
			[]record.BudgetPart{device, wakeup}},
		{"end_io before the bio ends", func(b *record.Budget) { b.EndIo = b.BioEnd - 1 }, "ext4_dio_write_end_io comes before",
			[]record.BudgetPart{device, wakeup}},
		{"end_io missed", func(b *record.Budget) { b.EndIo = 0 }, "ext4_dio_write_end_io was not seen",
			[]record.BudgetPart{wakeup, convert, rest}},
		{"end_io after the write", func(b *record.Budget) { b.EndIo = b.Total + 1 }, "ext4_dio_write_end_io comes after",
			[]record.BudgetPart{wakeup, convert, rest}},
		{"end of a lookup missed", func(b *record.Budget) { b.Faults = 1 << record.BudgetLookup }, "begin or end of lookup was not seen",
			[]record.BudgetPart{record.BudgetFailedPass, record.BudgetLookup, rest}},
		{"return of the zeroing missed", func(b *record.Budget) { b.Faults = 1 << record.BudgetZero }, "begin or end of zero",
			[]record.BudgetPart{record.BudgetZero, record.BudgetSubmit}},
		{"begin of the flush missed", func(b *record.Budget) { b.Faults = 1 << record.BudgetSync }, "begin or end of sync",
			[]record.BudgetPart{convert, record.BudgetSync, record.BudgetBuffered, rest}},
		{"part of a later version", func(b *record.Budget) { b.Faults = 1 << record.NumBudgetParts }, "does not know", everyPart()},
		{"of another write", func(b *record.Budget) { b.Total++ }, "it is of 100001 ns, and the write took 100000", everyPart()},
		{"too much", func(b *record.Budget) { b.Rest++ }, "its parts make 100001 of 100000 ns", everyPart()},
		{"too little", func(b *record.Budget) { b.Rest-- }, "its parts make 99999 of 100000 ns", everyPart()},
		{"too much of what is known", func(b *record.Budget) { b.BiosEnded, b.Sync = 1, 200_000 }, "of 100000 ns", everyPart()},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := whole()
			c.change(&r)
			var b Budget
			b.fill(&budgetRecord{Budget: r}, 100_000)
			var unknown uint32
			for _, p := range c.unknown {
				unknown |= 1 << p
			}
			if b.Unknown != unknown {
				t.Errorf("unknown parts %b, want %b", b.Unknown, unknown)
			}
			if (b.Missing == "") != (c.missing == "") || !strings.Contains(b.Missing, c.missing) {
				t.Errorf("missing %q, want %q", b.Missing, c.missing)
			}
			if unknown == 0 && b.Sum() != 100_000 {
				t.Errorf("the parts make %d of 100000 ns: %s", b.Sum(), &b)
			}
		})
	}
}

func everyPart() (all []record.BudgetPart) { return record.BudgetOrder[:] }

// The budget of a queued write comes before its record or its completion, whichever is the
// last, and is its own.
func TestBudgetIsOfItsWrite(t *testing.T) {
	r := whole()
	queued := record.Write{ID: 7, T0: 1000, Latency: 50_000, Ret: model.EIOCBQUEUED, Stages: record.StageEntry | record.StageReturn}
	done := record.Complete{ID: 7, T: 101_000, Ret: 4096}
	direct := queued
	direct.Ret, direct.Latency = 4096, 100_000
	other := r
	other.ID = 8
	for name, stream := range map[string][][]byte{
		"completed after the return":  {queued.Append(nil), r.Append(nil), done.Append(nil)},
		"completed before the return": {done.Append(nil), r.Append(nil), queued.Append(nil)},
		"not queued":                  {other.Append(nil), r.Append(nil, record.MakeBudgetMark(1000, record.BudgetRest, true)), direct.Append(nil)},
	} {
		var got *Observation
		ob := NewObserver(func(o *Observation) { got = o.Clone() })
		for _, raw := range stream {
			if err := ob.Feed(raw); err != nil {
				t.Fatal(err)
			}
		}
		if got == nil || got.Budget == nil || got.Budget.Missing != "" || got.Budget.Ns[record.BudgetDevice] != 52_000 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Budgets whose writes never come do not pile up, and the writes behind them have none.
func TestBudgetsAreBounded(t *testing.T) {
	var last *Observation
	ob := NewObserver(func(o *Observation) { last = o.Clone() })
	for id := range uint64(maxPending + 10) {
		r := whole()
		r.ID = id
		if err := ob.Feed(r.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if n := ob.budgets.len(); n != maxPending {
		t.Errorf("%d budgets are kept", n)
	}
	w := record.Write{ID: 3, Latency: 100_000, Ret: 1, Stages: record.StageEntry | record.StageReturn}
	if err := ob.Feed(w.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if last.Budget != nil {
		t.Errorf("a write whose budget was dropped has %s", last.Budget)
	}
}

// course is the budget of a write that restarted, with its marks: an aligned one is simpler.
func course() budgetRecord {
	const spin, queue, lookup, rest, times = record.BudgetSpin, record.BudgetQueue, record.BudgetLookup, record.BudgetRest, record.BudgetTimes
	r := budgetRecord{Budget: record.Budget{
		ID: 7, Total: 100_000, Spin: 1000, Queue: 4000, FailedPass: 3000, Lookup: 500, Times: 700, Alloc: 800, Submit: 900,
		Convert: 6000, Sync: 9000, Submitted: 12_000, BioEnd: 70_000, EndIo: 78_000, Bios: 2, BiosEnded: 2,
	}}
	for i, m := range []record.BudgetMark{
		record.MakeBudgetMark(1000, rest, true),
		record.MakeBudgetMark(1500, lookup, false), // in vain
		record.MakeBudgetMark(2500, rest, false),
		record.MakeBudgetMark(3000, queue, false),
		record.MakeBudgetMark(7000, rest, false), // in vain
		record.MakeBudgetMark(8000, rest, true),
		record.MakeBudgetMark(8500, lookup, false),
		record.MakeBudgetMark(9000, rest, false),
		record.MakeBudgetMark(9500, times, false),
		record.MakeBudgetMark(10_200, rest, false),
		record.MakeBudgetMark(10_300, record.BudgetSubmit, false),
		record.MakeBudgetMark(10_500, record.BudgetAlloc, false),
		record.MakeBudgetMark(11_300, record.BudgetSubmit, false),
		record.MakeBudgetMark(78_000, record.BudgetConvert, false),
		record.MakeBudgetMark(84_000, rest, false),
		record.MakeBudgetMark(85_000, record.BudgetSync, false),
		record.MakeBudgetMark(94_000, rest, false),
	} {
		r.mark[i], r.n = m, i+1
	}
	r.Rest = 500 + 500 + 100 + 1000 + 6000 // behind the second pass
	return r
}

// When a write was in which part follows from the marks: without a gap, all of each part, with
// what was in vain as a failed pass and the device where the bios say so. What the marks do not
// tell is nowhere.
func TestCourse(t *testing.T) {
	old := course()
	old.n = 0
	full := course()
	full.n = 12 // there was no room for more
	cut := course()
	cut.n = 2 // the second pass is not there: what looks like the only one was in vain
	wrong := course()
	wrong.mark[9] = record.MakeBudgetMark(10_200, record.BudgetDrain, false)
	noDevice := course()
	noDevice.BiosEnded = 1
	for _, c := range []struct {
		name, want string
		r          budgetRecord
	}{
		{"all", "spin 0+1000 failed_pass 1000+2000 queue 3000+4000 failed_pass 7000+1000 rest 8000+500 lookup 8500+500 rest 9000+500 " +
			"times 9500+700 rest 10200+100 submit 10300+200 alloc 10500+800 submit 11300+700 device 12000+58000 wakeup 70000+8000 " +
			"convert 78000+6000 rest 84000+1000 sync 85000+9000 rest 94000+6000", course()},
		{"an early version", "device 12000+58000 wakeup 70000+8000 convert 78000+6000", old},
		{"more marks than there is room for", "spin 0+1000 failed_pass 1000+2000 queue 3000+4000 failed_pass 7000+1000 rest 8000+500 " +
			"lookup 8500+500 rest 9000+500 times 9500+700 rest 10200+100 submit 10300+200 " +
			"device 12000+58000 wakeup 70000+8000 convert 78000+6000", full},
		{"more than there is room for before the last pass", "device 12000+58000 wakeup 70000+8000 convert 78000+6000", cut},
		{"marks of something else", "device 12000+58000 wakeup 70000+8000 convert 78000+6000", wrong},
		{"the end of a bio was missed", "spin 0+1000 failed_pass 1000+2000 queue 3000+4000 failed_pass 7000+1000 rest 8000+500 lookup 8500+500 " +
			"rest 9000+500 times 9500+700 rest 10200+100 alloc 10500+800 convert 78000+6000 rest 84000+1000 sync 85000+9000 rest 94000+6000", noDevice},
	} {
		var b Budget
		b.fill(&c.r, 100_000)
		got := ""
		for _, s := range b.Spans {
			got += fmt.Sprintf(" %s %d+%d", s.Part, s.At, s.Ns)
		}
		if strings.TrimSpace(got) != c.want {
			t.Errorf("%s (%s):\n%s, want\n %s", c.name, b.Missing, got, c.want)
		}
	}
}
