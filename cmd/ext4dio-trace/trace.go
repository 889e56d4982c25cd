package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// sink takes judged writes. It is used by one goroutine.
type sink interface {
	// row takes one write, and whether --only lets it be shown.
	row(r *export.Row, shown bool)
	// flush ends a batch; s is valid until it returns. An error ends tracing.
	flush(s *export.Summary) error
}

// trace is one run of live: records in, rows and a summary out.
type trace struct {
	facts    *probes.Facts
	plan     *probes.Plan
	opts     *liveOptions
	judge    *judge.Judge
	maker    export.Maker
	resolver *export.Resolver // nil for a file
	row      export.Row
	sink     sink
	// recording takes what is captured, too; nil when it does not have to. file is
	// what the records come from instead of a kernel.
	recording *recording
	recorded  []string        // what was recorded before, in words
	counter   *whatif.Counter // of the variant that the screen asks for, nil for none
	counted   string
	tell      func(string)  // tells the user while the screen is shown
	orders    chan func()   // for the goroutine that consumes, between two batches
	over      chan struct{} // closed when it has consumed all
	file      *tracefile.Recording
	paths     []string // of the file, when it can be read again
	summary   export.Summary
	stderr    io.Writer
	began     time.Time
	start     uint64    // when the first write could be seen, ns of CLOCK_MONOTONIC
	asked     time.Time // when the evidence was last asked for
}

// newTrace returns a trace of the kernel of facts; doubt is judge.Options.Doubt.
func newTrace(facts *probes.Facts, plan *probes.Plan, doubt func(from, to uint64) bool, o *liveOptions) (*trace, error) {
	resolver := export.NewResolver()
	t, err := newTraceNaming(facts, plan, doubt, o, resolver)
	if err != nil {
		resolver.Close()
		return nil, err
	}
	t.resolver = resolver
	return t, nil
}

// newTraceNaming makes a trace that takes the names of files from somewhere else.
func newTraceNaming(facts *probes.Facts, plan *probes.Plan, doubt func(from, to uint64) bool, o *liveOptions, names export.Names) (*trace, error) {
	t := &trace{
		facts: facts, plan: plan, opts: o, stderr: os.Stderr, began: time.Now(), maker: newMaker(plan, names),
		orders: make(chan func()), over: make(chan struct{}),
	}
	var err error
	if t.judge, err = newJudge(facts, plan, o.variant, doubt, t.judged); err != nil {
		return nil, err
	}
	t.refresh(&record.Losses{}, true)
	return t, nil
}

// newMaker makes rows of what a plan sees.
func newMaker(plan *probes.Plan, names export.Names) export.Maker {
	return export.Maker{
		Names:    names,
		NoWaits:  plan.Unattached.Has(record.StageWait),
		NoSleeps: plan.Unattached.Has(record.StageSleep),
	}
}

func (t *trace) close() {
	if t.resolver != nil {
		t.resolver.Close()
	}
}

// run traces until ctx ends, the time is over or the command has ended. Without a
// command hold is nil.
func (t *trace) run(ctx context.Context, src source, hold holder) error {
	if t.opts.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.opts.duration)
		defer cancel()
	}
	if t.opts.wantsScreen() {
		return t.runScreen(ctx, src, hold)
	}
	return t.runLines(ctx, src, hold)
}

// runLines writes lines to stdout.
func (t *trace) runLines(ctx context.Context, src source, hold holder) error {
	var cmd *command
	if hold != nil {
		var err error
		if cmd, err = hold(os.Stdin, os.Stderr); err != nil {
			return err
		}
		defer cmd.stop()
	}
	lines := newLineSink(os.Stdout, t.opts.json, wantsColor(os.Stdout))
	lines.text.Start = t.start
	t.sink = lines
	note(t.stderr, "%s", t.banner())
	p := newPump(src)
	go p.run()
	stopped := stopper(ctx, p, cmd)
	if cmd != nil {
		if err := cmd.release(); err != nil {
			p.stop.Store(true)
			return errors.Join(fmt.Errorf("start %s: %w", t.opts.command[0], err), t.consume(p))
		}
	}
	err := t.consume(p)
	<-stopped
	return t.finish(err, cmd)
}

// stopper stops the pump when ctx or the command ends. The returned channel is
// closed when it did so or the pump ended by itself.
func stopper(ctx context.Context, p *pump, cmd *command) <-chan struct{} {
	var ended chan struct{}
	if cmd != nil {
		ended = cmd.ended
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
		case <-ended:
		case <-p.ended:
		}
		p.stop.Store(true)
	}()
	return done
}

// consume judges and shows everything that comes, to the end. It returns what
// failed of the source and the sink. A reader of the output that goes away ends
// tracing, but is no failure.
func (t *trace) consume(p *pump) error {
	hurry()
	var failed error
	show := func() {
		if failed == nil {
			if failed = t.sink.flush(&t.summary); failed != nil {
				p.stop.Store(true)
			}
		}
	}
	for b := range p.full {
		b.each(func(raw []byte) {
			_ = t.judge.Feed(raw) // the judge counts what it does not understand
		})
		l := p.losses.Load()
		if failed == nil && t.recording != nil {
			if failed = t.recordingFailed(t.recording.batch(b, p.read.Load())); failed != nil {
				p.stop.Store(true)
			}
		}
		p.free <- b
		t.refresh(l, false)
		select {
		case do := <-t.orders:
			do()
		default:
		}
		show()
	}
	close(t.over)
	t.judge.Flush()
	t.refresh(p.losses.Load(), true)
	show()
	if t.recording != nil {
		failed = errors.Join(failed, t.recording.end(p.read.Load()))
	}
	if isClosedPipe(failed) {
		failed = nil
	}
	return errors.Join(failed, p.err)
}

// judged takes a judged write from the judge.
func (t *trace) judged(o *observe.Observation, v *judge.Verdict) {
	t.maker.Fill(&t.row, o, v)
	t.summary.Totals.Add(&t.row)
	if t.counter != nil {
		t.counter.Add(o, v.Why[0])
	}
	t.sink.row(&t.row, t.opts.shows(&t.row))
}

// evidenceEvery is how often the evidence is put into words again.
const evidenceEvery = 100 * time.Millisecond

// refresh brings the summary up to date with everything but the rows.
func (t *trace) refresh(l *record.Losses, whole bool) {
	s, now := &t.summary, time.Now()
	refreshSummary(s, l, t.judge)
	s.Elapsed = now.Sub(t.began)
	if t.file != nil {
		s.Elapsed = recordedTime(t.file)
	}
	if whole || now.Sub(t.asked) >= evidenceEvery {
		t.asked = now
		d := t.judge.Detector()
		s.Variant, s.Evidence = variantText(d), d.Evidence()
	}
}

// refreshSummary adds what was lost and what the judge counted.
func refreshSummary(s *export.Summary, l *record.Losses, judge *judge.Judge) {
	stats := judge.Stats()
	s.Losses = *l
	s.Losses.Malformed += stats.Malformed
	s.Unpaired, s.Overlaps = stats.Unpaired, stats.Overlaps
}

// finish says how it ended and returns what the exit status is made from.
func (t *trace) finish(err error, cmd *command) error {
	if cmd != nil {
		cmd.stop()
		note(t.stderr, "%s %s", t.opts.command[0], cmd.outcome())
	}
	if err != nil {
		return err
	}
	if t.recording != nil {
		t.recorded = append(t.recorded, t.recording.outcome())
	}
	for _, text := range t.recorded {
		note(t.stderr, "%s", text)
	}
	missing := t.sayMissing()
	// The user may have closed stderr too; there is nobody to tell then.
	_, _ = t.summary.WriteTo(t.stderr)
	if err := t.writeSummary(); err != nil {
		return err
	}
	if err := exitStatus(&t.summary); err != nil || !missing {
		return err
	}
	return &exitError{code: exitUnproven}
}

// sayMissing says what could not be read of a file, and reports whether there is such.
func (t *trace) sayMissing() bool {
	if t.file == nil {
		return false
	}
	return sayMissing(t.stderr, t.file)
}

// writeSummary writes the totals for programs, when asked for.
func (t *trace) writeSummary() error {
	if t.opts.summary == "" {
		return nil
	}
	b, err := t.summary.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.opts.summary, b, 0o644); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// banner says what is traced, once everything is attached.
func (t *trace) banner() string {
	n, missing := attachedProbes(t.plan)
	doing := "tracing"
	if t.file != nil {
		doing = "recorded"
	}
	text := fmt.Sprintf("%s ext4 direct writes on Linux %s: %d probes (%s)", doing, t.facts.Release, n, t.plan.Mode)
	if len(missing) > 0 {
		text += ", without " + strings.Join(missing, ", ")
	}
	text += ", variant " + t.summary.Variant
	if len(t.summary.Evidence) > 0 {
		text += " (" + t.summary.Evidence[0] + ")"
	}
	return text
}

// lineSink writes rows as text or JSON.
type lineSink struct {
	out  io.Writer
	json bool
	text *export.Text
	buf  []byte
	head bool // header written
}

func newLineSink(out io.Writer, json, color bool) *lineSink {
	return &lineSink{out: out, json: json, text: &export.Text{Color: color}}
}

func (s *lineSink) row(r *export.Row, shown bool) {
	switch {
	case !shown:
	case s.json:
		s.buf = r.AppendJSON(s.buf)
	default:
		s.buf = s.text.Append(s.buf, r)
	}
}

// flush writes what has gathered, and the header even when nothing has, so
// that a reader of lines sees that tracing has begun.
func (s *lineSink) flush(*export.Summary) error {
	if !s.head && !s.json {
		s.buf = append(s.text.AppendHeader(nil), s.buf...)
	}
	s.head = true
	if len(s.buf) == 0 {
		return nil
	}
	_, err := s.out.Write(s.buf)
	s.buf = s.buf[:0]
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}
