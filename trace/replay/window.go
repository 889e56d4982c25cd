package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Window shows any part of a recording as a pass over all of it does: the same rows with
// the same numbers and verdicts. The numbers are those of explain --seq: writes are
// counted from 1 in the order in which they are judged.
//
// A row costs the chunks that it stands in, those as far back as the longest request
// among them began, and one chunk for each other that holds the first record of a write
// that was queued then. It does not depend on the length of the recording, unless that is
// broken: see slow.
//
// It belongs to one goroutine, and has the recording for itself.
type Window struct {
	in      *tracefile.Recording
	kernel  session.Kernel
	variant string
	maker   export.Maker
	table   *windowTable
	slowly  int // times that slow was needed
}

// NewWindow judges a recording once, by a variant: auto or the name of one. Close closes the
// recording; after an error that is up to the caller.
func NewWindow(ctx context.Context, in *tracefile.Recording, variant string) (*Window, error) {
	if in.Places() == 0 {
		return nil, errors.New("what comes on a pipe can be read once only")
	}
	w := &Window{in: in, variant: variant}
	var err error
	if w.kernel, err = Kernel(ctx, in, variant); err != nil {
		return nil, err
	}
	w.maker = w.kernel.Maker(in)
	w.table, err = makeWindowTable(ctx, w)
	return w, err
}

// newJudge makes the judge of a pass.
func (w *Window) newJudge(seen session.Seen) (*judge.Judge, error) {
	return w.kernel.Judge(w.variant, w.in.Doubt, seen)
}

// Close closes the files.
func (w *Window) Close() error { return w.in.Close() }

// Began is when the recording began, ns of CLOCK_MONOTONIC.
func (w *Window) Began() uint64 { return w.in.Info().Monotonic }

// Writes is the number of writes, and so that of the last.
func (w *Window) Writes() uint64 { return w.table.total }

// NumberAt is the number of the write that was judged first of those that began at t or
// later, t in ns of CLOCK_MONOTONIC. Those behind it are in the order of their numbers, so
// that one may be among them that began earlier. Without any, it is the number that comes
// behind the last.
func (w *Window) NumberAt(t uint64) (first uint64, err error) {
	table := w.table
	place := sort.Search(len(table.places), func(i int) bool { return table.places[i].lastBegan >= t })
	first = table.before(place) + 1
	for found := false; err == nil && !found && first <= table.total; {
		const step = 4096 // the rows of a chunk, of which one is it
		err = w.Each(first, step, func(r *export.Row) bool {
			if found = r.TimeNs >= t; !found {
				first++
			}
			return !found
		})
	}
	return min(first, table.total+1), err
}

// errOther says that a part of the recording was judged otherwise than in the first pass.
var errOther = errors.New("other writes than in the first pass")

// Each calls f with n writes from a number on, which is 1 at least, or as many as there are,
// until it returns false. A row is valid
// during the call only.
func (w *Window) Each(number uint64, n int, f func(*export.Row) bool) error {
	t := w.table
	if n <= 0 || number > t.total {
		return nil
	}
	last := number + min(uint64(n), t.total-number+1) - 1
	if t.broken {
		return w.slow(number, last, f)
	}
	more := true
	if number <= t.inOrder {
		var err error
		var given uint64
		if more, given, err = w.inOrder(number, min(last, t.inOrder), f); errors.Is(err, errOther) {
			return w.slow(number+given, last, f)
		} else if err != nil {
			return err
		}
	}
	for i := max(number, t.inOrder+1); more && i <= last; i++ {
		more = f(&t.tail[i-t.inOrder-1])
	}
	return nil
}

// slow judges from the beginning. It is for recordings in which the judge has let go of
// queued writes before their end, because there were too many or ids came twice.
func (w *Window) slow(number, last uint64, f func(*export.Row) bool) error {
	var row export.Row
	w.slowly++
	over := false
	judge, err := w.newJudge(func(o *observe.Observation, v *judge.Verdict) {
		if v.Seq < number || v.Seq > last || over {
			return
		}
		w.maker.Fill(&row, o, v)
		if over = !f(&row) || v.Seq == last; over {
			_ = w.in.Stop() // it never fails
		}
	})
	if err == nil {
		err = w.in.SeekPlace(0)
	}
	if err == nil {
		err = feed(context.Background(), w.in, judge)
	}
	return err
}

// inOrder is Each for writes that were judged before the end of the recording. given is
// how many f has got, more what it returned last.
func (w *Window) inOrder(number, last uint64, f func(*export.Row) bool) (more bool, given uint64, err error) {
	t := w.table
	from, to := t.placeOf(number), t.placeOf(last)
	began := uint64(math.MaxUint64)
	for i := from; i <= to; i++ {
		began = min(began, t.places[i].firstBegan)
	}
	// What ended before the first of them began has nothing to do with them.
	begin := min(from, sort.Search(from, func(i int) bool { return t.places[i].lastEnd >= began }))

	p := windowPass{w: w, f: f, number: number, last: last, more: true, at: math.MaxUint64}
	if p.judge, err = w.newJudge(p.seen); err != nil {
		return false, 0, err
	}
	if err := p.prime(t.needed(begin, to)); err != nil {
		return false, 0, err
	}
	err = p.read(begin, to)
	return p.more, p.given, err
}

// windowPass is one reading of a part of the recording.
type windowPass struct {
	w            *Window
	judge        *judge.Judge
	row          export.Row
	f            func(*export.Row) bool
	number, last uint64
	at           uint64 // number of the write that was judged last; MaxUint64 when not known
	given        uint64
	more         bool
}

func (p *windowPass) seen(o *observe.Observation, v *judge.Verdict) {
	if p.at == math.MaxUint64 {
		return
	}
	if p.at++; p.at < p.number || p.at > p.last || !p.more {
		return
	}
	p.w.maker.Fill(&p.row, o, v)
	p.row.Seq = export.Some(p.at)
	p.given++
	p.more = p.f(&p.row)
}

// prime feeds single records from before the part that is read.
func (p *windowPass) prime(wanted map[int][]uint64) error {
	for _, place := range slices.Sorted(maps.Keys(wanted)) {
		if err := p.w.in.SeekPlace(place); err != nil {
			return err
		}
		err := each(context.Background(), p.w.in, func(raw []byte) bool {
			if p.w.in.Place() > place {
				return false
			}
			id, ok := record.IDOf(raw)
			if !ok {
				id, ok = record.BudgetID(raw)
			}
			if ok && slices.Contains(wanted[place], id) {
				_ = p.judge.Feed(raw)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// read feeds all records of the places from begin to to. The writes have their numbers from
// begin on, as those before the first that is wanted may be whom others waited for.
func (p *windowPass) read(begin, to int) error {
	t, in := p.w.table, p.w.in
	if err := in.SeekPlace(begin); err != nil {
		return err
	}
	now := -1
	for p.more && (p.at == math.MaxUint64 || p.at < p.last) {
		raw, err := in.Next()
		if errors.Is(err, record.ErrEnd) {
			return errOther // the last was not among them
		}
		if err != nil {
			return fmt.Errorf("read trace: %w", err)
		}
		if place := in.Place(); place != now {
			switch now = place; {
			case now > to:
				return errOther
			case p.at == math.MaxUint64:
				p.at = t.before(now)
				p.judge.NumberFrom(p.at)
			case p.at != t.before(now):
				return errOther
			}
		}
		_ = p.judge.Feed(raw)
	}
	return nil
}
