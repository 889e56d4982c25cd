package observe

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Budget is where the time of a write went: parts that add up to its latency.
type Budget struct {
	Ns      [record.NumBudgetParts]uint64
	Unknown uint32 // a bit 1 << record.BudgetPart for each part that is not known
	Missing string // why; empty when all are known
	// Submitted is when the last bio was submitted, ns since the entry, where the part device
	// begins; 0 when there was none.
	Submitted uint64
	// Spans are when it was in which part, in order, as far as that is known.
	Spans []BudgetSpan
}

// Known reports whether a part was measured.
func (b *Budget) Known(p record.BudgetPart) bool { return b.Unknown&(1<<p) == 0 }

const allParts = 1<<record.NumBudgetParts - 1

// around has the parts that time of a part is counted in when its begin or end was missed.
var around = [record.NumBudgetParts][]record.BudgetPart{
	record.BudgetQueue:    {record.BudgetSpin, record.BudgetFailedPass, record.BudgetBuffered, record.BudgetRest},
	record.BudgetLookup:   {record.BudgetFailedPass, record.BudgetRest},
	record.BudgetTimes:    {record.BudgetFailedPass, record.BudgetRest},
	record.BudgetDrain:    {record.BudgetBuffered, record.BudgetRest},
	record.BudgetAlloc:    {record.BudgetSubmit},
	record.BudgetZero:     {record.BudgetSubmit},
	record.BudgetSubmit:   {record.BudgetDevice, record.BudgetWakeup, record.BudgetConvert, record.BudgetRest},
	record.BudgetConvert:  {record.BudgetWakeup, record.BudgetRest},
	record.BudgetSync:     {record.BudgetBuffered, record.BudgetConvert, record.BudgetRest},
	record.BudgetBuffered: {record.BudgetRest},
}

// lack marks parts as unknown.
func (b *Budget) lack(why string, parts ...record.BudgetPart) {
	for _, p := range parts {
		b.Unknown |= 1 << p
	}
	b.because(why)
}

func (b *Budget) because(why string) {
	if b.Missing != "" {
		b.Missing += "; "
	}
	b.Missing += why
}

// budgetRecord is a record with the marks behind it.
type budgetRecord struct {
	record.Budget
	mark [record.MaxBudgetMarks]record.BudgetMark
	n    int
}

// fill takes up the record of a write that took latency.
func (b *Budget) fill(r *budgetRecord, latency uint64) {
	*b = Budget{Spans: b.Spans[:0], Ns: [...]uint64{
		record.BudgetSpin: r.Spin, record.BudgetQueue: r.Queue, record.BudgetFailedPass: r.FailedPass,
		record.BudgetLookup: r.Lookup, record.BudgetDrain: r.Drain, record.BudgetAlloc: r.Alloc,
		record.BudgetZero: r.Zero, record.BudgetSubmit: r.Submit, record.BudgetConvert: r.Convert,
		record.BudgetSync: r.Sync, record.BudgetBuffered: r.Buffered, record.BudgetTimes: r.Times, record.BudgetRest: r.Rest,
		record.BudgetWakeup: 0,
	}}
	if r.Total != latency {
		b.Unknown = allParts
		b.because(fmt.Sprintf("it is of %d ns, and the write took %d", r.Total, latency))
		return
	}
	b.faults(r.Faults)
	b.ends(&r.Budget)
	if sum := b.Sum(); b.Unknown == 0 && sum != latency || sum > latency {
		b.Unknown = allParts
		b.because(fmt.Sprintf("its parts make %d of %d ns", sum, latency))
	}
	b.place(r)
}

// faults are the parts whose begin or end was missed.
func (b *Budget) faults(bits uint32) {
	for p := range record.BudgetPart(record.NumBudgetParts) {
		if bits&(1<<p) != 0 {
			b.lack("begin or end of "+p.String()+" was not seen", append(around[p], p)...)
		}
	}
	if bits&^allParts != 0 {
		b.Unknown = allParts
		b.because("a part that this version does not know")
	}
}

// ends tells the parts from the last bio on.
func (b *Budget) ends(r *record.Budget) {
	const device, wakeup, convert = record.BudgetDevice, record.BudgetWakeup, record.BudgetConvert
	switch {
	case r.Bios == 0 && r.BiosEnded == 0:
		return
	case r.Bios != r.BiosEnded:
		b.lack(fmt.Sprintf("%d bios were seen submitted, %d to end", r.Bios, r.BiosEnded), device, wakeup, record.BudgetSubmit)
	case r.Submitted == 0 || r.BioEnd < r.Submitted || r.BioEnd > r.Total:
		b.lack("the last bio ends before it begins, or after the write", device, wakeup)
	case r.EndIo != 0 && r.EndIo < r.BioEnd:
		b.lack("ext4_dio_write_end_io comes before the end of the last bio", device, wakeup)
	default:
		b.Ns[device], b.Submitted = r.BioEnd-r.Submitted, r.Submitted
	}
	switch {
	case r.EndIo == 0:
		b.lack("ext4_dio_write_end_io was not seen", wakeup, convert, record.BudgetRest)
	case r.EndIo > r.Total:
		b.lack("ext4_dio_write_end_io comes after the write", wakeup, convert, record.BudgetRest)
	case b.Known(wakeup):
		b.Ns[wakeup] = r.EndIo - r.BioEnd
	}
}

// Sum is that of the parts that are known.
func (b *Budget) Sum() (sum uint64) {
	for p, ns := range b.Ns {
		if b.Known(record.BudgetPart(p)) {
			sum += ns
		}
	}
	return sum
}

// String names the parts that took time.
func (b *Budget) String() string {
	var out []string
	for _, p := range record.BudgetOrder {
		switch {
		case !b.Known(p):
			out = append(out, p.String()+" ?")
		case b.Ns[p] > 0:
			out = append(out, fmt.Sprintf("%s %.1f us", p, float64(b.Ns[p])/1000))
		}
	}
	return strings.Join(out, ", ")
}

// budget takes up where the time of a write went, which comes before the last record of
// that write.
func (ob *Observer) budget(raw []byte) error {
	var r budgetRecord
	if err := record.ParseBudget(raw, &r.Budget); err != nil {
		return err
	}
	r.n = min(len(record.BudgetMarks(r.mark[:0], raw)), len(r.mark))
	if ob.budgets.len() >= maxPending {
		ob.budgets.take(ob.budgets.oldest().ID) // its write was lost
	}
	ob.budgets.put(r.ID, r)
	return nil
}

// spent adds it to a write that is over.
func (ob *Observer) spent(o *Observation) {
	if r, ok := ob.budgets.take(o.ID); ok {
		o.Budget = &o.budget
		o.Budget.fill(&r, o.LatencyNs)
	}
}
