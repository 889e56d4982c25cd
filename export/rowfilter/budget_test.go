package rowfilter

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// The parts of a budget are words; one that is not known never matches, nor does one of a
// write without a budget.
func TestBudgetWords(t *testing.T) {
	r := zeroing()
	r.Budget.Known = true
	r.Budget.V.Ns[record.BudgetDevice] = export.Some[uint64](6_000_000)
	without := zeroing()
	for line, want := range map[string]bool{
		"budget.device>5ms": true, "budget.device>=6ms lock=exclusive": true, "budget.device>6ms": false, "Budget.Device<1s": true,
		"budget.wakeup>0": false, "budget.wakeup<1s": false, "budget.wakeup!=1ms": false,
	} {
		f, err := Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if got := f.Match(r); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
		if f.Match(without) {
			t.Errorf("%s matches a write without a budget", line)
		}
	}
	if _, err := Parse("budget.device>fast"); err == nil {
		t.Error("budget.device>fast is no error")
	}
}
