package export

import (
	"encoding/json"
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
	b.Add(budgeted(observe.Budget{Missing: "a bio"}, "not overwrite"))
	var out strings.Builder
	b.writeSpent(&out)
	const want = `   WRITES      MEAN       P50       P99  WHERE THE TIME GOES, BY REASON
        3    10.0ms    10.0ms    10.0ms  extending (1 more incomplete)
     40 %    4.00ms    4.00ms    4.00ms    queue
     50 %    5.00ms    5.00ms    5.00ms    device
      5 %     500us     500us     500us    wakeup
      4 %     400us     400us     400us    convert
           slowest 1 %: 3 writes of 10.0ms or more, device 50 %, queue 40 %,
           wakeup 5 %, convert 4 %
        3     100us     100us     100us  aligned, inside i_size
    100 %     100us     100us     100us    device
           slowest 1 %: 3 writes of 100us or more, device 100 %
        0         0         0         0  not overwrite (1 more incomplete)

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

// What makes a few writes slow is not what the mean says: each part has its median and its 99th
// percentile, and of the slowest 1 % it is told what they spent their time on.
func TestBudgetOfTheSlowest(t *testing.T) {
	var b Breakdown
	part := func(p record.BudgetPart, ns uint64) (out [record.NumBudgetParts]uint64) {
		out[record.BudgetDevice], out[p] = 100_000, ns
		return out
	}
	for i := range 1000 {
		ns := part(record.BudgetLookup, 1000+uint64(i))
		if i%50 == 7 { // twenty, beside one that is a little slower
			ns = part(record.BudgetQueue, 300_000)
		}
		if i == 500 {
			ns = part(record.BudgetTimes, 310_000)
		}
		b.Add(budgeted(observe.Budget{Ns: ns}, "extending"))
	}
	raw, err := b.JSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Budgets []struct {
			P50      uint64            `json:"p50_ns"`
			P99      uint64            `json:"p99_ns"`
			PartsP50 map[string]uint64 `json:"parts_p50_ns"`
			PartsP99 map[string]uint64 `json:"parts_p99_ns"`
			Slowest  struct {
				Writes uint64            `json:"writes"`
				FromNs uint64            `json:"from_ns"`
				Most   string            `json:"most"`
				Parts  map[string]uint64 `json:"parts_ns"`
			} `json:"slowest"`
		} `json:"budgets"`
	}
	if err := json.Unmarshal(raw, &got); err != nil || len(got.Budgets) != 1 {
		t.Fatal(err, string(raw))
	}
	l := got.Budgets[0]
	about := func(what string, got, exact uint64) {
		if got < exact || got > exact+exact/4 {
			t.Errorf("%s is %d, exactly %d", what, got, exact)
		}
	}
	about("the median", l.P50, 101_500)
	about("p99", l.P99, 400_000)
	about("the median of device", l.PartsP50["device"], 100_000)
	about("p99 of queue", l.PartsP99["queue"], 300_000)
	about("the median of lookup", l.PartsP50["lookup"], 1500)
	if l.PartsP50["queue"] != 0 {
		t.Errorf("the median of queue is %d", l.PartsP50["queue"])
	}
	if s := l.Slowest; s.Most != "queue" || s.Writes != 21 || s.FromNs != 400_000 || s.Parts["queue"] != 6_000_000 || s.Parts["times"] != 310_000 {
		t.Errorf("the slowest: %+v", s)
	}
	text := strings.Join(b.BudgetLines(), "\n")
	if want := "slowest 1 %: 21 writes of 400us or more, queue 71 %, device 25 %,\n           times 4 %"; !strings.Contains(text, want) {
		t.Errorf("%q is not in\n%s", want, text)
	}
	if !strings.Contains(text, "      0 %     310ns         0         0    times") {
		t.Errorf("a part that only slow writes have is not told:\n%s", text)
	}
}

// The line of the summary is of all writes, and is not there without budgets.
func TestBudgetOfAll(t *testing.T) {
	var none, some Totals
	none.Add(&Row{})
	some.Add(budgeted(observe.Budget{Ns: [record.NumBudgetParts]uint64{record.BudgetQueue: 1000, record.BudgetDevice: 3000}}, "extending"))
	some.Add(budgeted(observe.Budget{Ns: [record.NumBudgetParts]uint64{record.BudgetAlloc: 1 << 40}, Missing: "a bio"}, "extending"))
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
