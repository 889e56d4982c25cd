package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ext4dio/ext4dio-trace/probes"
)

// errOver says that an order came too late.
var errOver = errors.New("tracing has ended: nothing more comes")

// order has something done by the goroutine that consumes, between two batches.
func (t *trace) order(do func()) error {
	done := make(chan struct{})
	select {
	case t.orders <- func() { defer close(done); do() }:
		<-done
		return nil
	case <-t.over:
		return errOver
	}
}

// screenRecord begins or ends to record while the screen is shown, and says so.
func (t *trace) screenRecord(p *pump, on bool) (text string, err error) {
	late := t.order(func() {
		if on {
			text, err = t.beginRecording(p.read.Load())
		} else {
			text, err = t.endRecording(p.read.Load())
		}
	})
	return text, cmp.Or(late, err)
}

// screenMissed tells how often the kernel skipped the programs of each function.
func (t *trace) screenMissed(session *probes.Session) (missed map[string]uint64, err error) {
	late := t.order(func() {
		var stats []probes.ProbeStats
		stats, err = session.Stats()
		missed = make(map[string]uint64, len(stats))
		for _, p := range stats {
			missed[p.Func] += p.Missed
		}
	})
	return missed, cmp.Or(late, err)
}

// beginRecording records what comes from now on into a new file in the current folder.
func (t *trace) beginRecording(now *reading) (string, error) {
	if t.recording != nil {
		return "", fmt.Errorf("it is recorded to %s already", t.recording.flags.path)
	}
	r := &recording{flags: &recordFlags{}, parts: 1, aside: true, base: t.consumed(now).losses}
	var err error
	name := "ext4dio-" + time.Now().Format("20060102-150405")
	for i := 1; !r.isNew; i++ {
		r.flags.path = name + ".e4d"
		if i > 1 {
			r.flags.path = fmt.Sprintf("%s-%d.e4d", name, i)
		}
		if _, err := os.Lstat(r.flags.path); err == nil {
			continue
		}
		if r.out, r.isNew, err = createTrace(r.flags.path); err != nil {
			return "", err
		}
	}
	start, _, err := clocks()
	if err == nil {
		err = r.begin(t.facts, t.plan, start, t.opts.variant, t.resolver)
	}
	if err != nil {
		return "", errors.Join(err, r.close())
	}
	t.recording = r
	return "recording to " + r.flags.path, nil
}

// consumed is now, but for the writes that are not accounted for yet: those that are still
// inside the kernel or on their way. A recording has them when they come while it lasts.
// What was lost since now was read may have been before the recording, and is said to be
// missing from it.
func (t *trace) consumed(now *reading) *reading {
	r := *now
	l := &r.losses
	l.Seen = t.summary.Totals.Writes + uint64(t.judge.Pending()) + l.Lost() - l.MissedEntry + l.TooFast
	return &r
}

// endRecording ends what is recorded.
func (t *trace) endRecording(now *reading) (string, error) {
	if t.recording == nil {
		return "", errors.New("nothing is recorded")
	}
	r := t.recording
	t.recording = nil
	if err := r.end(t.consumed(now)); err != nil {
		return "", err
	}
	t.recorded = append(t.recorded, r.outcome())
	return r.outcome(), nil
}

// recordingFailed returns err, but for a recording that was begun on the screen: that ends,
// says so, and what is shown goes on.
func (t *trace) recordingFailed(err error) error {
	if err == nil || !t.recording.aside {
		return err
	}
	r := t.recording
	t.recording = nil
	if cerr := r.close(); cerr != nil {
		err = errors.Join(err, cerr)
	}
	text := oneLine("recording ended: " + err.Error())
	t.recorded = append(t.recorded, text)
	t.tell(text)
	return nil
}
