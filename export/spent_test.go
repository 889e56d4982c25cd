package export

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
)

func budgeted(b observe.Budget, reason string) *Row {
	r := &Row{Reason: reason}
	r.fillBudget(&b)
	return r
}

// Where the time goes is told for each reason, the one that took the most first. What is not
// known in all parts is counted, and no part of the sum.
func TestBudgetByReason(t *testing.T) {
	var b Breakdown
	for range 3 {
		b.Add(budgeted(observe.Budget{Ns: [...]uint64{
			record.BudgetSpin: 1000, record.BudgetQueue: 4_000_000, record.BudgetAlloc: 30_000, record.BudgetSubmit: 44_000,
			record.BudgetDevice: 5_000_000, record.BudgetWakeup: 500_000, record.BudgetConvert: 400_000, record.BudgetRest: 25_000,
		}}, "extending"))
		b.Add(budgeted(observe.Budget{Ns: [record.NumBudgetParts]uint64{record.BudgetDevice: 100_000}}, "aligned, inside i_size"))
	}
	b.Add(budgeted(observe.Budget{
		Ns: [record.NumBudgetParts]uint64{record.BudgetQueue: 1 << 40}, Unknown: 1 << record.BudgetDevice, Missing: "a bio",
	}, "extending"))
	b.Add(&Row{Reason: "extending"}) // recorded without
	var out strings.Builder
	b.writeSpent(&out)
	const want = `   WRITES      MEAN  WHERE THE TIME GOES, BY REASON
        3    10.0ms  extending (and 1 not known in all parts)
                     queue 40 %, device 50 %, wakeup 5 %, convert 4 %
        3     100us  aligned, inside i_size
                     device 100 %

`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// The line of the summary is of all writes, and is not there without budgets.
func TestBudgetOfAll(t *testing.T) {
	var none, some Totals
	none.Add(&Row{})
	some.Add(budgeted(observe.Budget{Ns: [record.NumBudgetParts]uint64{record.BudgetQueue: 1000, record.BudgetDevice: 3000}}, "extending"))
	some.Add(budgeted(observe.Budget{Missing: "a bio"}, "extending"))
	var out strings.Builder
	none.spent.writeLine(&out)
	some.spent.writeLine(&out)
	if want := "time:     queue 25 %, device 75 %; of 1 write not known in all parts\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// A row has all of a budget: explain works on what is made from the row again.
func TestBudgetComesBack(t *testing.T) {
	b := observe.Budget{
		Ns:      [record.NumBudgetParts]uint64{record.BudgetLookup: 250_000, record.BudgetRest: 750_000},
		Unknown: 1 << record.BudgetDevice, Missing: "a bio", Submitted: 17,
		Spans: []observe.BudgetSpan{{Part: record.BudgetLookup, At: 3, Ns: 250_000}},
	}
	r := budgeted(b, "").Clone()
	if got := r.Observation().Budget; got == nil || !reflect.DeepEqual(*got, b) {
		t.Errorf("%+v, want %+v", got, b)
	}
	if got := (&Row{}).Observation().Budget; got != nil {
		t.Errorf("a row without a budget has %s", got)
	}
}

// Of a part that is not known, no number is shown.
func TestBudgetText(t *testing.T) {
	b := BudgetOf(&observe.Budget{
		Ns:      [record.NumBudgetParts]uint64{record.BudgetLookup: 250_000, record.BudgetDevice: 3, record.BudgetRest: 750_000},
		Unknown: 1<<record.BudgetDevice | 1<<record.BudgetWakeup, Missing: "2 bios were seen submitted, 1 to end",
	})
	got := strings.Join(BudgetText(&b, 1_000_000), "\n")
	const want = `lookup          250us  25 %  ##########
device              ?
wakeup              ?
rest            750us  75 %  ##############################
? 2 bios were seen submitted, 1 to end`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestBudgetsLost: a write without a budget that it should have is told.
func TestBudgetsLost(t *testing.T) {
	var s Summary
	s.Losses.LostBudget = 2
	var out strings.Builder
	if _, err := s.WriteTo(&out); err != nil || !strings.Contains(out.String(), "BUDGETS LOST: it is not known where the time of 2 writes went") {
		t.Error(out.String(), err)
	}
}
