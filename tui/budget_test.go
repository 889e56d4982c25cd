package tui

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// budgetRow is the write of courseRow, measured with --budget.
func budgetRow() export.Row {
	r := courseRow()
	r.Budget.Known = true
	for p := range r.Budget.V.Ns {
		r.Budget.V.Ns[p] = export.Some[uint64](0)
	}
	left := r.LatencyNs.V
	for p, ns := range map[record.BudgetPart]uint64{
		record.BudgetSpin: 9_000, record.BudgetQueue: r.Waits[0].Ns, record.BudgetFailedPass: 4_000, record.BudgetLookup: 3_000,
		record.BudgetDrain: 250_000, record.BudgetAlloc: 80_000, record.BudgetZero: 5_000, record.BudgetSubmit: 11_000,
		record.BudgetDevice: 5_060_000, record.BudgetWakeup: 20_000, record.BudgetConvert: 300_000,
	} {
		r.Budget.V.Ns[p] = export.Some(ns)
		left -= ns
	}
	r.Budget.V.Ns[record.BudgetRest] = export.Some(left)
	return r
}

// Each part that was measured is a part of the line, and they are all of it; a wait says for
// whom. What was not measured does not look like nothing.
func TestBudgetTimeline(t *testing.T) {
	r := budgetRow()
	tl := timelineOf(&r)
	letters, at := "", uint64(0)
	for _, s := range tl.all {
		if s.letter != 0 {
			letters += string(rune(s.letter))
			at += s.ns
		}
	}
	if letters != "lWpkdmzsIuxr" || at != r.LatencyNs.V || tl.whole != at || tl.note != "" {
		t.Errorf("parts %s of %d ns, the write took %d, note %q", letters, at, r.LatencyNs.V, tl.note)
	}
	r.Budget.V.Ns[record.BudgetDevice] = export.Opt[uint64]{}
	r.Budget.V.Missing = "2 bios were seen submitted, 1 to end"
	d := detail{m: newModel(nil, testOptions), r: &r, width: 80}
	d.timeline()
	text := ansi.Strip(strings.Join(d.lines, "\n"))
	for _, want := range []string{"not known: 2 bios were seen", "?             5.06ms   11%  ?           not known", "direct-read of fio pid 812", "returned 1024"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "--budget") {
		t.Errorf("it was measured:\n%s", text)
	}
}

// A write of which each instant is known is told in the order of time: twice where a part came
// twice, with the small ones between together, and each wait with those it was for.
func TestBudgetCourse(t *testing.T) {
	r := budgetRow()
	at := uint64(0)
	for _, s := range []struct {
		part record.BudgetPart
		ns   uint64
	}{
		{record.BudgetSpin, 7_000}, {record.BudgetLookup, 3_000}, {record.BudgetQueue, r.Waits[0].Ns}, {record.BudgetRest, 30_000},
		{record.BudgetLookup, 2_000}, {record.BudgetDrain, 250_000}, {record.BudgetAlloc, 80_000}, {record.BudgetDevice, 5_060_000},
		{record.BudgetConvert, 300_000}, {record.BudgetDrain, 260_000},
	} {
		r.Budget.V.Spans = append(r.Budget.V.Spans, export.BudgetSpan{Part: s.part, At: at, Ns: s.ns})
		at += s.ns
	}
	r.LatencyNs, r.SubmitNs = export.Some(at), at
	r.Waits[0].AtUs = uint32((7_000 + 3_000 + r.Waits[0].Ns) / 1000)
	tl := timelineOf(&r)
	letters, whole := "", uint64(0)
	for _, s := range tl.all {
		if s.letter != 0 {
			if letters += string(rune(s.letter)); s.at != whole {
				t.Errorf("%c begins at %d, want %d", s.letter, s.at, whole)
			}
			whole += s.ns
		}
	}
	if letters != "-W-dmIxd" {
		t.Errorf("parts %s", letters)
	}
	if whole != at || tl.summed {
		t.Errorf("%d of %d ns, sums: %v", whole, at, tl.summed)
	}
	d := detail{m: newModel(nil, testOptions), r: &r, width: 80}
	d.timeline()
	text := ansi.Strip(strings.Join(d.lines, "\n"))
	for _, want := range []string{"spin 7.00us, lookup 3.00us", "lookup 2.00us, rest 30.0us", "direct-read of fio pid 812", "returned 1024"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	all := r.Budget.V.Spans
	late := slices.Clone(all)
	late[1].At += 5
	for _, spans := range [][]export.BudgetSpan{late, all[1:], all[:len(all)-1]} {
		r.Budget.V.Spans = spans
		if tl := timelineOf(&r); !tl.summed {
			t.Errorf("a course with a gap is told as one without: %v", spans)
		}
	}
}

// Each part of a budget has a letter of its own.
func TestBudgetLetters(t *testing.T) {
	seen := map[byte]bool{}
	for p := range record.BudgetPart(record.NumBudgetParts) {
		of := budgetParts[p.String()]
		if of.letter == 0 || of.what == "" || seen[of.letter] {
			t.Errorf("%s has the letter %q, and is %q", p, of.letter, of.what)
		}
		seen[of.letter] = true
	}
}
