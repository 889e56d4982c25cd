package decode

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestPatternRenews: what the writes of one pattern do not have in common is that of each.
// Twins compare every observation with one made from the whole record.
func TestPatternRenews(t *testing.T) {
	stripe := parseScript(t, ordinary["stripe"]).w
	for name, step := range map[string]record.Step{
		"lookup in a mapping": {Kind: record.StepMap, Aux: record.MapLookup, A: 5<<32 | 3, B: 1<<32 | 1, C: 1},
		"drain":               {Kind: record.StepDrain, A: 700, C: 1, Aux: record.DrainWaited},
		"failed mapping":      {Kind: record.StepMap, Aux: record.MapFailed, A: 1<<64 - 28},
		"wait":                {Kind: record.StepWait, A: 9000, C: 2},
		"zeroing":             {Kind: record.StepZero, Lock: 2, A: 12288, B: 512, C: 1},
		"sleep":               {Kind: record.StepSleep, A: 100},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwins(t, Options{Variant: model.Linux73})
			for i := range int64(8) {
				rec := stripe
				rec.NSteps += 2 // the same step twice
				rec.Steps[rec.NSteps-2], rec.Steps[rec.NSteps-1] = step, step
				shift(&rec, i*1<<20)
				last := &rec.Steps[rec.NSteps-1]
				last.TUs += uint32(i)
				if step.Kind == record.StepDrain || step.Kind == record.StepWait {
					last.A += uint64(i)
				}
				rec.LostBefore, rec.WaitNs, rec.Latency = uint32(i), uint64(i)*10, rec.Latency+uint64(i)
				rec.Tid, rec.Tgid, rec.Dev, rec.Comm[0] = uint32(i), uint32(i)+1, uint32(i)+2, 'a'+byte(i)
				w.feed(&rec)
			}
			w.end()
		})
	}
}
