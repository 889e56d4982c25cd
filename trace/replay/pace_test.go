package replay

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ext4dio/ext4dio-trace/record"
)

// listSource hands out records, in one buffer as the others do.
type listSource struct {
	raws    [][]byte
	buf     []byte
	stopped bool
}

func (s *listSource) Next() ([]byte, error) {
	if len(s.raws) == 0 || s.stopped {
		return nil, record.ErrEnd
	}
	s.buf = append(s.buf[:0], s.raws[0]...)
	s.raws = s.raws[1:]
	return s.buf, nil
}

func (s *listSource) Losses() (record.Losses, error) { return record.Losses{}, nil }
func (s *listSource) Stop() error                    { s.stopped = true; return nil }

// writesAt are writes that ended at these times, in ms, and each with a completion when
// queued.
func writesAt(queued bool, ms ...uint64) [][]byte {
	var out [][]byte
	for i, at := range ms {
		w := record.Write{ID: uint64(i + 1), T0: 1e12 + at*1e6 - 500, Latency: 500}
		out = append(out, w.Append(nil))
		if queued {
			c := record.Complete{ID: w.ID, T: 1e12 + at*1e6}
			out = append(out, c.Append(nil))
		}
	}
	return out
}

// delivery is one record and when it came.
type delivery struct {
	id uint64
	at time.Duration
}

func deliver(t *testing.T, p *paced, most int) (out []delivery, idle int) {
	t.Helper()
	began := time.Now()
	for range most {
		raw, err := p.Next()
		switch {
		case errors.Is(err, record.ErrIdle):
			idle++
			continue
		case errors.Is(err, record.ErrEnd):
			return out, idle
		case err != nil:
			t.Fatal(err)
		}
		var w record.Write
		var c record.Complete
		if record.ParseWrite(raw, &w) != nil {
			if err := record.ParseComplete(raw, &c); err != nil {
				t.Fatal(err)
			}
			w.ID = c.ID
		}
		out = append(out, delivery{w.ID, time.Since(began)})
	}
	t.Fatalf("more than %d calls", most)
	return nil, 0
}

// So many writes come in a second, and those of a tick come together.
func TestRate(t *testing.T) { synctest.Test(t, rate) }

func rate(t *testing.T) {
	for _, rate := range []float64{50_000, 777, 20} {
		const n = 2000
		src := &listSource{raws: writesAt(true, make([]uint64, n)...)}
		p := &paced{Source: src, due: byRate(rate)}
		got, _ := deliver(t, p, 10*n)
		if len(got) != 2*n {
			t.Fatalf("%d records, want %d", len(got), 2*n)
		}
		for i, d := range got {
			want := time.Duration(float64(i/2) / rate * 1e9)
			if d.id != uint64(i/2+1) || d.at < want || d.at > want+time.Duration(1e9/rate)+paceTick {
				t.Fatalf("rate %g: record %d is of write %d at %s, want %s", rate, i, d.id, d.at, want)
			}
		}
	}
}

func TestSpeed(t *testing.T) { synctest.Test(t, speed) }

func speed(t *testing.T) {
	at := []uint64{0, 1, 100, 90, 101, 60_000}
	for _, speed := range []float64{1, 10, 0.5} {
		src := &listSource{raws: writesAt(false, at...)}
		p := &paced{Source: src, due: byTimes(speed)}
		got, idle := deliver(t, p, 10_000)
		if len(got) != len(at) || idle == 0 {
			t.Fatalf("%d records, %d times idle", len(got), idle)
		}
		for i, ms := range []uint64{0, 1, 100, 100, 101, 60_000} {
			want := time.Duration(float64(ms) * 1e6 / speed)
			if got[i].at < want || got[i].at > want+paceTick {
				t.Errorf("speed %g: record %d at %s, want %s", speed, i, got[i].at, want)
			}
		}
	}
}

// What a stopped program has missed does not come all at once when it goes on.
func TestRateAfterPause(t *testing.T) { synctest.Test(t, rateAfterPause) }

func rateAfterPause(t *testing.T) {
	src := &listSource{raws: writesAt(false, make([]uint64, 5000)...)}
	p := &paced{Source: src, due: byRate(1000)}
	for range 10 {
		if _, err := p.Next(); err != nil && !errors.Is(err, record.ErrIdle) {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Hour)
	before := time.Now()
	got, _ := deliver(t, p, 50_000)
	if took := time.Since(before); took < 4900*time.Millisecond || took > 5100*time.Millisecond {
		t.Errorf("%d writes took %s", len(got), took)
	}
}

func TestPacedStops(t *testing.T) { synctest.Test(t, pacedStops) }

func pacedStops(t *testing.T) {
	src := &listSource{raws: writesAt(false, 0, 60_000)}
	p, began := &paced{Source: src, due: byTimes(1)}, time.Now()
	if _, err := p.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Next(); !errors.Is(err, record.ErrIdle) {
		t.Fatalf("%v, want idle", err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Next(); !errors.Is(err, record.ErrEnd) || time.Since(began) > paceTick {
		t.Fatalf("%v after %s, want the end", err, time.Since(began))
	}
}
