package observe

import (
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
			b.fill(&r, 100_000)
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
		"not queued":                  {other.Append(nil), r.Append(nil), direct.Append(nil)},
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
