package export

import (
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
)

// budgetFields are the parts in the order of a write.
var budgetFields = schema.New(
	budgetField(record.BudgetSpin, "for the lock: entry to the first pass, but for queue_ns"),
	budgetField(record.BudgetQueue, "queued for i_rwsem"),
	budgetField(record.BudgetFailedPass, "a pass that was given up, to the next one, but for queue_ns"),
	budgetField(record.BudgetLookup, "ext4_map_blocks of the checks"),
	budgetField(record.BudgetDrain, "inode_dio_wait"),
	budgetField(record.BudgetTimes, "file_modified or kiocb_modified: time stamps, privileges, a journal handle"),
	budgetField(record.BudgetAlloc, "ext4_iomap_begin: lookup, journal, allocation"),
	budgetField(record.BudgetZero, "iomap_dio_zero, until the last bio is submitted"),
	budgetField(record.BudgetSubmit, "the rest of iomap_dio_rw until the last bio is submitted"),
	budgetField(record.BudgetDevice, "the last bio submitted, to the last bio ended"),
	budgetField(record.BudgetWakeup, "from there to ext4_dio_write_end_io: the task wakes up, or a worker begins"),
	budgetField(record.BudgetConvert, "ext4_dio_write_end_io: unwritten extents, i_size"),
	budgetField(record.BudgetSync, "ext4_sync_file of O_DSYNC"),
	budgetField(record.BudgetBuffered, "ext4_buffered_write_iter, to the return"),
	budgetField(record.BudgetRest, "checks, orphan list, unlock, return"),
	schema.OptInt("submitted_ns", "ns", "entry to where device_ns begins", func(b *Budget) *Opt[uint64] { return &b.Submitted }),
	schema.Text("incomplete", "why parts are null", func(b *Budget) *string { return &b.Missing }).OrNull(),
	schema.List("spans", "when the write was in which part, in order, as far as that is known", spanFields, nil,
		func(b *Budget) *[]observe.BudgetSpan { return &b.Spans }),
)

var partWords = schema.WordsOf("partWords", "", record.NumBudgetParts, func(n record.BudgetPart) string { return n.String() })

var spanFields = schema.New(
	schema.Enum("part", "name of the part", partWords, func(s *observe.BudgetSpan) *record.BudgetPart { return &s.Part }),
	schema.Int("at_ns", "ns", "its begin, since the entry of the write", func(s *observe.BudgetSpan) *uint64 { return &s.At }),
	schema.Int("ns", "ns", "how long; all spans of a part are at most the part", func(s *observe.BudgetSpan) *uint64 { return &s.Ns }),
)

// budgetField is one part; as a filter word it is budget.NAME.
func budgetField(p record.BudgetPart, doc string) schema.Field[Budget] {
	return schema.OptInt(p.String()+"_ns", "ns", doc, func(b *Budget) *Opt[uint64] { return &b.Ns[p] }).Filtered("budget." + p.String())
}

// BudgetSpan is one time that a write was in a part.
type BudgetSpan = observe.BudgetSpan

// Budget is where the latency of a write went.
type Budget struct {
	Ns      [record.NumBudgetParts]Opt[uint64] // by record.BudgetPart
	Missing string                             // why parts are not known; empty when all are
	// Submitted is when the last bio was submitted, since the entry, where one was.
	Submitted Opt[uint64]
	Spans     []BudgetSpan // as far as that is known
}

// Unplaced are the parts, or what is left of them, of which it is not known when the write was
// in them.
func (b *Budget) Unplaced() (ns [record.NumBudgetParts]uint64) {
	for p := range b.Ns {
		ns[p] = b.Ns[p].V
	}
	for _, s := range b.Spans {
		ns[s.Part] -= min(s.Ns, ns[s.Part])
	}
	return ns
}

func (r *Row) fillBudget(b *observe.Budget) {
	r.Budget.V.Spans = r.Budget.V.Spans[:0]
	if b == nil {
		return
	}
	r.Budget.V.Spans = append(r.Budget.V.Spans, b.Spans...)
	r.Budget.Known, r.Budget.V.Missing = true, b.Missing
	r.Budget.V.Submitted = Opt[uint64]{V: b.Submitted, Known: b.Submitted != 0}
	for p := range r.Budget.V.Ns {
		r.Budget.V.Ns[p] = Opt[uint64]{V: b.Ns[p], Known: b.Known(record.BudgetPart(p))}
	}
}

// observedBudget is the reverse of fillBudget.
func (r *Row) observedBudget() *observe.Budget {
	if !r.Budget.Known {
		return nil
	}
	b := &observe.Budget{Missing: r.Budget.V.Missing, Submitted: r.Budget.V.Submitted.V, Spans: r.Budget.V.Spans}
	for p, ns := range r.Budget.V.Ns {
		if b.Ns[p] = ns.V; !ns.Known {
			b.Unknown |= 1 << p
		}
	}
	return b
}
