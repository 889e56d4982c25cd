package session

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracee"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Sink takes judged writes. It is used by one goroutine.
type Sink interface {
	// Row takes one write; it is valid until it returns.
	Row(r *export.Row)
	// Flush ends a batch; s is valid until it returns. An error ends tracing.
	Flush(s *export.Summary) error
}

// HoldSink is a Sink that takes those, too, who held i_rwsem of a file and made no recorded
// write. h is valid until it returns; path is the name of the file, empty when it is not known.
type HoldSink interface {
	Hold(h *observe.Hold, path string)
}

// Adviser draws conclusions from all judged writes and from those, too, who held i_rwsem. It is
// used by one goroutine, and keeps nothing of what it is given.
type Adviser interface {
	Add(o *observe.Observation, v *judge.Verdict)
	Hold(h *observe.Hold)
	Anew() // forget all: it comes once more
	Findings(names export.Names) []export.Advice
}

// Options say how a Trace judges, and for whom.
type Options struct {
	Variant string                     // auto, or the name of one
	Doubt   func(from, to uint64) bool // see judge.Options
	Names   export.Names               // of files; nil: those that the kernel's side tells of
	Elapsed func() time.Duration       // what has been traced; nil: the time since New
	Marks   *Marks                     // that come while it is traced; nil: those of Names
}

// Trace is one run: records in, rows and a summary out.
type Trace struct {
	*Kernel
	// Sink takes the rows. It is set before Start.
	Sink Sink
	// Recorder takes what is captured, too; nil when it does not have to. It has begun
	// before Start.
	Recorder *Recorder
	// Seen takes every judged write, too; nil for none. While the trace runs it is changed
	// by Order only.
	Seen Seen
	// Adviser fills in the advice of the summary; nil for none. It is set before Start.
	Adviser Adviser
	// Look is shown the summary with each batch; nil for nothing.
	Look func(*export.Summary)
	// Tell takes what is to be said of a recording that was begun by Record and has failed.
	Tell func(text string)
	// Summary is what was seen so far. While the trace runs, it is for Sink and Order only.
	Summary export.Summary

	opts     Options
	judge    *judge.Judge
	maker    export.Maker
	names    *Names // nil for a file
	row      export.Row
	recorded []string // what was recorded before, in words
	pump     *pump
	orders   chan func()   // for the goroutine that consumes, between two batches
	over     chan struct{} // closed when it has consumed all
	began    time.Time
	asked    time.Time // when the evidence was last asked for
	advised  time.Time // when the adviser was

	marks *tracefile.Marks // by which writes are grouped; nil for none
	told  int              // of them, those that the sink was told of

	early batch             // records that were judged while the variant was provisional
	late  bool              // they are too many to be kept
	again func(*export.Row) // takes those that are judged again; nil while none are
}

// New returns a trace of a kernel. The caller closes it. The error is one of the name of
// the variant.
func New(k *Kernel, o Options) (*Trace, error) {
	t := &Trace{Kernel: k, opts: o, began: time.Now(), orders: make(chan func()), over: make(chan struct{})}
	var err error
	if t.judge, err = t.judgeOf(*k, o.Variant); err != nil {
		return nil, err
	}
	names := o.Names
	if names == nil {
		t.names = NewNames()
		names = t.names
	}
	t.maker = k.Maker(names)
	if r, ok := names.(interface{ Marks() *tracefile.Marks }); ok {
		t.marks = r.Marks()
	} else if o.Marks != nil {
		t.marks, t.maker.Marks = &o.Marks.Marks, &o.Marks.Marks
	}
	t.Summary.Holders, t.Summary.Sample = k.Plan.Holders, k.Plan.Sample
	t.refresh(&record.Losses{}, true)
	return t, nil
}

// Close gives back what the names of files take.
func (t *Trace) Close() {
	if t.names != nil {
		t.names.Close()
	}
}

// Banner says what is traced and how it is judged, once everything is attached; doing is a
// verb.
func (t *Trace) Banner(doing string) string {
	text := t.Kernel.Banner(doing) + ", "
	if t.judge.Detector().Provisional() {
		text += "provisional "
	}
	text += "variant " + t.Summary.Variant
	if len(t.Summary.Evidence) > 0 {
		text += " (" + t.Summary.Evidence[0] + ")"
	}
	return text
}

// Detector tells by which variant writes are judged, and why. While the trace runs, it is for
// Order only.
func (t *Trace) Detector() *judge.Detector { return t.judge.Detector() }

// RecordTo begins to record to r what is captured, from start on, ns of CLOCK_MONOTONIC. It
// is called before Start.
func (t *Trace) RecordTo(r *Recorder, start uint64) error {
	t.Recorder = r
	return r.Begin(t.Kernel, start, t.opts.Variant, t.names)
}

// Recordings says in words what was recorded. It is called after the end.
func (t *Trace) Recordings() []string {
	if t.Recorder != nil {
		return append(t.recorded, t.Recorder.Outcome())
	}
	return t.recorded
}

// Start begins to trace src, until ctx or cmd ends; cmd, which is released then, may be nil.
func (t *Trace) Start(ctx context.Context, src Source, cmd *tracee.Command) (*Run, error) {
	return start(ctx, src, cmd, t.consume)
}

// consume judges and shows everything that comes, to the end. It returns what
// failed of the source and the sink. A reader of the output that goes away ends
// tracing, but is no failure.
func (t *Trace) consume(p *pump) error {
	hurry()
	t.pump = p
	var failed error
	fail := func(err error) {
		if failed = err; failed != nil {
			p.stop.Store(true)
		}
	}
	for b := range p.full {
		t.learn(b)
		b.each(t.feed)
		l := p.read.Load()
		if failed == nil && t.Recorder != nil {
			fail(t.recordingFailed(t.Recorder.batch(b, l)))
		}
		p.free <- b
		t.refresh(&l.losses, false)
		select {
		case do := <-t.orders:
			do()
		default:
		}
		if failed == nil {
			fail(t.shown())
		}
	}
	close(t.over)
	t.flush()
	t.opts.Marks.end()
	t.tellMarks(math.MaxUint64)
	if t.names != nil {
		t.lookAtStacks()
	}
	l := p.read.Load()
	t.refresh(&l.losses, true)
	if failed == nil {
		fail(t.shown())
	}
	if t.Recorder != nil {
		failed = errors.Join(failed, t.Recorder.end(l))
	}
	if IsClosedPipe(failed) {
		failed = nil
	}
	return errors.Join(failed, p.err)
}

// shown ends a batch.
func (t *Trace) shown() error {
	if t.Look != nil {
		t.Look(&t.Summary)
	}
	return t.Sink.Flush(&t.Summary)
}

// learn takes the names of files out of a batch. They stand before their writes.
func (t *Trace) learn(b *batch) {
	if t.names == nil {
		return
	}
	t.names.Look()
	b.each(func(raw []byte) { t.names.Learn(raw) })
}

// judgeOf makes a judge of a kernel that tells this trace of all that it is fed with.
func (t *Trace) judgeOf(k Kernel, variant string) (*judge.Judge, error) {
	k.Held = t.held
	return k.Judge(variant, t.opts.Doubt, t.judged)
}

// held takes somebody who held i_rwsem, from the judge. When writes are judged again it was
// told before.
func (t *Trace) held(h *observe.Hold) {
	if t.Adviser != nil {
		t.Adviser.Hold(h)
	}
	if sink, ok := t.Sink.(HoldSink); ok && t.again == nil && h.Got() {
		sink.Hold(h, t.maker.Names.Path(h.File()))
	}
}

// judged takes a judged write from the judge.
func (t *Trace) judged(o *observe.Observation, v *judge.Verdict) {
	t.maker.Fill(&t.row, o, v)
	t.Summary.Totals.Add(&t.row)
	if t.Adviser != nil {
		t.Adviser.Add(o, v)
	}
	if t.again != nil {
		t.again(&t.row)
		return
	}
	if t.Seen != nil {
		t.Seen(o, v)
	}
	t.Sink.Row(&t.row)
}

// evidenceEvery is how often the evidence is put into words again.
const evidenceEvery = 100 * time.Millisecond

// adviceEvery is how often the adviser is asked.
const adviceEvery = time.Second

// refresh brings the summary up to date with everything but the rows.
func (t *Trace) refresh(l *record.Losses, whole bool) {
	s, now := &t.Summary, time.Now()
	Account(s, l, t.judge)
	s.Elapsed = now.Sub(t.began)
	if t.opts.Elapsed != nil {
		s.Elapsed = t.opts.Elapsed()
	}
	if whole || now.Sub(t.asked) >= evidenceEvery {
		t.asked = now
		Explain(s, t.judge)
	}
	if t.Adviser != nil && (whole || now.Sub(t.advised) >= adviceEvery) {
		t.advised = now
		s.Advice = t.Adviser.Findings(t.maker.Names)
	}
}

// Account adds to a summary what was lost and what the judge counted.
func Account(s *export.Summary, l *record.Losses, judge *judge.Judge) {
	stats := judge.Stats()
	s.Losses = *l
	s.Losses.Malformed += stats.Malformed
	s.Unpaired, s.Overlaps, s.Requests = stats.Unpaired, stats.Overlaps, stats.Requests
}

// Explain adds to a summary by which variant was judged, and why.
func Explain(s *export.Summary, judge *judge.Judge) {
	d := judge.Detector()
	s.Variant, s.Evidence = variantText(d), d.Evidence()
}

// Nowhere is the sink of a trace of which only the summary is wanted.
type Nowhere struct{}

// Row implements Sink.
func (Nowhere) Row(*export.Row) {}

// Flush implements Sink.
func (Nowhere) Flush(*export.Summary) error { return nil }

// ErrOver says that an order came too late.
var ErrOver = errors.New("tracing has ended: nothing more comes")

// Order has something done by the goroutine that consumes, between two batches, and returns
// its error.
func (t *Trace) Order(do func() error) error {
	done := make(chan error, 1)
	select {
	case t.orders <- func() { done <- do() }:
		return <-done
	case <-t.over:
		return ErrOver
	}
}

// Record begins or ends to record while tracing goes on, and says so. It records to a new
// file in the current folder; Tool and Command of o are what that says of itself. The error
// is ErrOver after the end.
func (t *Trace) Record(on bool, o RecorderOptions) (text string, err error) {
	err = t.Order(func() (err error) {
		if on {
			text, err = t.beginRecording(o)
		} else {
			text, err = t.endRecording()
		}
		return err
	})
	return text, err
}

// beginRecording records what comes from now on into a new file in the current folder.
func (t *Trace) beginRecording(o RecorderOptions) (string, error) {
	if t.Recorder != nil {
		return "", fmt.Errorf("it is recorded to %s already", t.Recorder.opts.Path)
	}
	o.Marks = t.opts.Marks
	r := &Recorder{opts: o, parts: 1, aside: true, base: t.consumed().losses}
	var err error
	name := "ext4dio-" + time.Now().Format("20060102-150405")
	for i := 1; !r.isNew; i++ {
		r.opts.Path = name + ".e4d"
		if i > 1 {
			r.opts.Path = fmt.Sprintf("%s-%d.e4d", name, i)
		}
		if _, err := os.Lstat(r.opts.Path); err == nil {
			continue
		}
		if r.out, r.isNew, err = createTrace(r.opts.Path); err != nil {
			return "", err
		}
	}
	if err := r.Begin(t.Kernel, clock.Monotonic(), t.opts.Variant, t.names); err != nil {
		return "", errors.Join(err, r.Close())
	}
	t.Recorder = r
	return "recording to " + r.opts.Path, nil
}

// consumed is what was lost by now, but for the writes that are not accounted for yet: those that are still
// inside the kernel or on their way. A recording has them when they come while it lasts.
// What was lost since now was read may have been before the recording, and is said to be
// missing from it.
func (t *Trace) consumed() *reading {
	r := *t.pump.read.Load()
	l := &r.losses
	l.Seen = t.Summary.Totals.Writes + uint64(t.judge.Pending()) + l.Lost() - l.MissedEntry + l.TooFast
	return &r
}

// endRecording ends what is recorded.
func (t *Trace) endRecording() (string, error) {
	if t.Recorder == nil {
		return "", errors.New("nothing is recorded")
	}
	r := t.Recorder
	t.Recorder = nil
	if err := r.end(t.consumed()); err != nil {
		return "", err
	}
	t.recorded = append(t.recorded, r.Outcome())
	return r.Outcome(), nil
}

// recordingFailed returns err, but for a recording that was begun on the screen: that ends,
// says so, and what is shown goes on.
func (t *Trace) recordingFailed(err error) error {
	if err == nil || !t.Recorder.aside {
		return err
	}
	r := t.Recorder
	t.Recorder = nil
	if cerr := r.Close(); cerr != nil {
		err = errors.Join(err, cerr)
	}
	text := "recording ended: " + err.Error()
	t.recorded = append(t.recorded, text)
	t.Tell(text)
	return nil
}
