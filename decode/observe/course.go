package observe

import "github.com/ext4dio/ext4dio-trace/record"

// BudgetSpan is one time that a write was in a part.
type BudgetSpan struct {
	Part   record.BudgetPart
	At, Ns uint64 // since the entry
}

// place tells when the write was in which part. The marks and the sums of a record were made
// by the same instants: where they do not agree there were more marks than it had room for,
// and nothing is said of what lies behind them. What was in vain has to be all there: a pass
// without its mark makes the one before it look as if it were the last.
func (b *Budget) place(r *budgetRecord) {
	marks := r.mark[:r.n]
	switch {
	case b.Unknown == allParts:
	case b.follow(r, marks, true).agrees(allParts):
	case b.follow(r, marks, false).agrees(1 << record.BudgetFailedPass):
	case b.follow(r, nil, false).agrees(0):
	default:
		b.Spans = b.Spans[:0]
	}
}

// follow makes the spans between marks. Without whole, the one behind the last mark is not
// known, and after it only what the bios tell.
func (b *Budget) follow(r *budgetRecord, marks []record.BudgetMark, whole bool) *Budget {
	b.Spans = b.Spans[:0]
	io := false
	in, from := record.BudgetSpin, uint64(0)
	first, last := passes(marks)
	for i := 0; i <= len(marks); i++ {
		if i == len(marks) && !whole {
			break
		}
		to := r.Total
		if i < len(marks) {
			to = marks[i].At()
		}
		part := in
		if i > first && i <= last && (in == record.BudgetRest || in == record.BudgetLookup || in == record.BudgetTimes) {
			part = record.BudgetFailedPass
		}
		if r.Bios > 0 && from <= r.Submitted && r.Submitted < to {
			b.span(part, from, r.Submitted)
			b.io(r)
			io = true
		} else {
			b.span(part, from, to)
		}
		if i < len(marks) {
			in, from = marks[i].Part(), to
		}
	}
	if !io && !whole && r.Bios > 0 {
		b.io(r)
		b.span(record.BudgetConvert, r.EndIo, r.EndIo+b.Ns[record.BudgetConvert])
	}
	return b
}

// passes are the places of the marks with which the first and the last pass begin.
func passes(marks []record.BudgetMark) (first, last int) {
	first = len(marks)
	for i, m := range marks {
		if m.Pass() {
			first, last = min(first, i), i
		}
	}
	return first, last
}

// io is what lies between the submission of the last bio and ext4_dio_write_end_io.
func (b *Budget) io(r *budgetRecord) {
	b.span(record.BudgetDevice, r.Submitted, r.BioEnd)
	b.span(record.BudgetWakeup, r.BioEnd, r.EndIo)
}

// span adds a time in a part, if that is known.
func (b *Budget) span(p record.BudgetPart, from, to uint64) {
	if int(p) >= record.NumBudgetParts || !b.Known(p) || to <= from {
		return
	}
	if n := len(b.Spans) - 1; n >= 0 && b.Spans[n].Part == p && b.Spans[n].At+b.Spans[n].Ns == from {
		b.Spans[n].Ns += to - from
		return
	}
	b.Spans = append(b.Spans, BudgetSpan{p, from, to - from})
}

// agrees reports whether the spans follow one another, and of no part are longer than it; of
// those with a bit in whole they are all.
func (b *Budget) agrees(whole uint32) bool {
	var sum [record.NumBudgetParts]uint64
	end := uint64(0)
	for _, s := range b.Spans {
		if s.At < end {
			return false
		}
		end = s.At + s.Ns
		sum[s.Part] += s.Ns
	}
	for p, ns := range sum {
		if b.Known(record.BudgetPart(p)) && (ns > b.Ns[p] || whole&(1<<p) != 0 && ns < b.Ns[p]) {
			return false
		}
	}
	return true
}
