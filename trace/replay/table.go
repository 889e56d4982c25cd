package replay

import (
	"context"
	"math"
	"sort"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Bounds of the table.
const (
	maxWindowTail  = 1024  // writes without an end that are kept
	maxWindowEarly = 16384 // completions that wait for their write, as in the judge
)

// windowTable says where the writes of a recording are. Its size follows the number of
// chunks and of the writes that were queued from one into another.
type windowTable struct {
	places  []windowPlace
	strays  []windowStray // by to
	inOrder uint64        // writes that were judged before the end
	total   uint64
	tail    []export.Row // the others
	// broken says that writes were judged without their end before the recording ended,
	// because too many were queued or ids came twice, or that the tail is too long.
	broken bool

	now      int // place
	row      export.Row
	waiting  map[uint64]int // place of the record of queued writes, and of completions that came first
	early    []uint64       // ids of the latter, oldest first
	budgets  map[uint64]int // place of the budget of writes that are not judged yet
	maker    *export.Maker
	fed      bool // the write of the record that is being fed was judged
	fedID    uint64
	flushing bool
}

// windowPlace is one chunk. Times are ns of CLOCK_MONOTONIC.
type windowPlace struct {
	before     uint64 // writes judged before its first record
	firstBegan uint64 // the earliest begin of a request of which a try was judged in it; MaxUint64 without any
	lastBegan  uint64 // the latest, in it or before
	lastEnd    uint64 // the latest end of a write or of its queued part, in it or before
}

// windowStray is a write of which a record lies in another place than the one in which it
// was judged.
type windowStray struct {
	id       uint64
	from, to int
}

// makeWindowTable judges all of a recording.
func makeWindowTable(ctx context.Context, w *Window) (*windowTable, error) {
	t := &windowTable{waiting: make(map[uint64]int), budgets: make(map[uint64]int), maker: &w.maker, now: -1}
	j, err := w.newJudge(t.seen)
	if err != nil {
		return nil, err
	}
	err = each(ctx, w.in, func(raw []byte) bool {
		t.feed(j, w.in.Place(), raw)
		return true
	})
	if err != nil {
		return nil, err
	}
	t.enter(w.in.Places())
	t.inOrder, t.flushing = t.total, true
	t.broken = j.Stats().Unpaired > 0 // before the end
	j.Flush()
	t.waiting, t.early, t.budgets = nil, nil, nil
	return t, nil
}

// feed takes the next record.
func (t *windowTable) feed(judge *judge.Judge, place int, raw []byte) {
	t.enter(place)
	id, ok := record.IDOf(raw)
	if !ok {
		t.budget(place, raw)
		_ = judge.Feed(raw) // counted by the judge
		return
	}
	p := &t.places[place]
	p.lastEnd = max(p.lastEnd, cameAt(raw))
	t.fed, t.fedID = false, id
	if err := judge.Feed(raw); err != nil || t.fed {
		return
	}
	if kind, _, _ := record.KindOf(raw); kind == record.KindComplete {
		if t.early = append(t.early, id); len(t.early) > maxWindowEarly {
			delete(t.waiting, t.early[0])
			t.early = t.early[1:]
		}
	}
	t.waiting[id] = place
}

// enter begins a place, and those before it that hold no record.
func (t *windowTable) enter(place int) {
	for t.now < place {
		next := windowPlace{before: t.total, firstBegan: math.MaxUint64}
		if t.now >= 0 {
			next.lastBegan, next.lastEnd = t.places[t.now].lastBegan, t.places[t.now].lastEnd
		}
		t.places = append(t.places, next)
		t.now++
	}
}

// seen takes a judged write.
func (t *windowTable) seen(o *observe.Observation, v *judge.Verdict) {
	t.total++
	if t.flushing {
		t.keep(o, v)
		return
	}
	p := &t.places[t.now]
	p.firstBegan, p.lastBegan = min(p.firstBegan, o.RequestBegan), max(p.lastBegan, o.Time)
	t.fed = t.fed || o.ID == t.fedID
	stray := windowStray{o.ID, t.now, t.now}
	if from, ok := t.waiting[o.ID]; ok {
		stray.from = from
		delete(t.waiting, o.ID)
	}
	if stray.from < stray.to {
		t.strays = append(t.strays, stray)
	}
	if from, ok := t.budgets[o.ID]; ok {
		delete(t.budgets, o.ID)
		if from < t.now {
			t.strays = append(t.strays, windowStray{o.ID, from, t.now})
		}
	}
}

// budget notes where the budget of a write is, if raw is one.
func (t *windowTable) budget(place int, raw []byte) {
	id, ok := record.BudgetID(raw)
	if !ok {
		return
	}
	if len(t.budgets) >= maxWindowEarly {
		clear(t.budgets) // of writes that were lost
	}
	t.budgets[id] = place
}

// keep takes a write that had no end.
func (t *windowTable) keep(o *observe.Observation, v *judge.Verdict) {
	if t.broken = t.broken || len(t.tail) == maxWindowTail; t.broken {
		t.tail = nil
		return
	}
	t.maker.Fill(&t.row, o, v)
	t.tail = append(t.tail, t.row.Clone())
}

// before is the number of writes judged before a place.
func (t *windowTable) before(place int) uint64 {
	if place < len(t.places) {
		return t.places[place].before
	}
	return t.inOrder
}

// placeOf is where a write was judged.
func (t *windowTable) placeOf(number uint64) int {
	return sort.Search(len(t.places), func(i int) bool { return t.places[i].before >= number }) - 1
}

// needed lists the records that the judge of the places from begin to to has to have
// seen, by their places, which are all before begin.
func (t *windowTable) needed(begin, to int) map[int][]uint64 {
	out := make(map[int][]uint64)
	first := sort.Search(len(t.strays), func(i int) bool { return t.strays[i].to >= begin })
	for _, s := range t.strays[first:] {
		if s.to > to {
			break
		}
		if s.from < begin {
			out[s.from] = append(out[s.from], s.id)
		}
	}
	return out
}
