package session

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
)

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
	if err := r.Begin(t.Kernel, clock.Monotonic(), t.opts.Variant, t.resolver); err != nil {
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
