package replay

import (
	"time"

	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

const (
	// paceTick is how long a paced source waits when nothing is due. To be woken more
	// often costs more than the records do: at 50,000 writes a second, a tick of 10 ms
	// doubles what a replay takes.
	paceTick = 50 * time.Millisecond
	// paceLag is how far it may be behind before it gives up the time that was lost:
	// whoever stopped the program does not want to see the rest all at once.
	paceLag = time.Second
)

// Pace says how fast a recording is replayed; without any, as fast as possible. One of them
// at most is set.
type Pace struct {
	Rate  float64 // writes a second
	Speed float64 // of its own times
}

// Source is src as slow as was asked for.
func (p Pace) Source(src session.Source) session.Source {
	switch {
	case p.Rate != 0:
		return &paced{Source: src, due: byRate(p.Rate)}
	case p.Speed != 0:
		return &paced{Source: src, due: byTimes(p.Speed)}
	}
	return src
}

// paced hands out the records of a source when they are due. It looks at the time once in
// a tick, and hands out all that is due then: what is behind it gets small batches.
type paced struct {
	session.Source
	// due is when a record is to be handed out, counted from the first one. It is called
	// once for each, in their order.
	due func(raw []byte) time.Duration

	began  time.Time     // zero before the first record
	passed time.Duration // since then, at the last look
	held   []byte        // not due yet; valid because nothing was asked of the source since
	heldAt time.Duration
	over   bool // stopped: the source says that it is at its end
}

// Next returns the next record that is due, or record.ErrIdle when none is for a while.
func (p *paced) Next() ([]byte, error) {
	if p.over {
		return p.Source.Next()
	}
	if p.held == nil {
		raw, err := p.Source.Next()
		if err != nil {
			return nil, err
		}
		if p.began.IsZero() {
			p.began = time.Now()
		}
		p.held, p.heldAt = raw, max(p.heldAt, p.due(raw))
	}
	if p.heldAt > p.passed && !p.waited() {
		return nil, record.ErrIdle
	}
	raw := p.held
	p.held = nil
	return raw, nil
}

// waited waits a tick when the record is not due, and reports whether it is then.
func (p *paced) waited() bool {
	p.look()
	if p.heldAt > p.passed {
		time.Sleep(paceTick)
		p.look()
	}
	return p.heldAt <= p.passed
}

// look asks for the time.
func (p *paced) look() {
	p.passed = time.Since(p.began)
	if behind := p.passed - p.heldAt; behind > paceLag {
		p.began = p.began.Add(behind)
		p.passed = p.heldAt
	}
}

// Stop ends the source.
func (p *paced) Stop() error {
	p.over = true
	return p.Source.Stop()
}

// byRate makes n writes a second due. Completions are due with the write before.
func byRate(n float64) func([]byte) time.Duration {
	writes := 0
	return func(raw []byte) time.Duration {
		at := time.Duration(float64(writes) / n * float64(time.Second))
		if kind, _, err := record.KindOf(raw); err == nil && kind == record.KindWrite {
			writes++
		}
		return at
	}
}

// byTimes makes records due when they came, speed times as fast.
func byTimes(speed float64) func([]byte) time.Duration {
	first := uint64(0)
	return func(raw []byte) time.Duration {
		t := cameAt(raw)
		if first == 0 {
			first = t
		}
		if t < first {
			return 0
		}
		return time.Duration(float64(t-first) / speed)
	}
}

// cameAt is when a raw record was made, ns of CLOCK_MONOTONIC: the end of a write, or its
// completion; 0 of a record that is cut off.
func cameAt(raw []byte) uint64 {
	_, ended, _ := record.TimesOf(raw)
	return ended
}
