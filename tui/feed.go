package tui

import (
	"context"
	"sync"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
)

// interval is the time between snapshots.
const interval = 100 * time.Millisecond

// batchRows is the number of rows that one snapshot holds at most: more than
// any terminal shows, and more than anybody reads in a tenth of a second.
const batchRows = 256

// Snapshot is what is known at one moment.
type Snapshot struct {
	// Rows are those that came since the last snapshot, oldest first. When more
	// came than fit, the newest are here and Skipped counts the others.
	Rows    []export.Row
	Skipped uint64
	Summary export.Summary
	Note    string // what to tell the user, such as how the command ended
	Ended   bool   // no more will come
}

// Collector gathers rows on one side and hands out snapshots on the other.
type Collector struct {
	mu      sync.Mutex
	ring    []export.Row // reused between snapshots
	next    int          // where the next row goes
	held    int          // rows in ring
	skipped uint64
	summary export.Summary
	note    string
	ended   bool
}

// NewCollector makes an empty Collector.
func NewCollector() *Collector { return &Collector{ring: make([]export.Row, batchRows)} }

// Add takes a copy of r.
func (c *Collector) Add(r *export.Row) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring[c.next].CopyFrom(r)
	c.next = (c.next + 1) % batchRows
	if c.held < batchRows {
		c.held++
	} else {
		c.skipped++
	}
}

// SetSummary takes a copy of s.
func (c *Collector) SetSummary(s *export.Summary) {
	c.mu.Lock()
	defer c.mu.Unlock()
	totals := s.Totals.Clone()
	c.summary = *s
	c.summary.Totals = totals
}

// SetNote sets what is told to the user.
func (c *Collector) SetNote(note string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note = note
}

// End says that nothing more will come.
func (c *Collector) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// take hands out what has gathered.
func (c *Collector) take() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Snapshot{Skipped: c.skipped, Summary: c.summary, Note: c.note, Ended: c.ended}
	if c.held > 0 {
		s.Rows = make([]export.Row, c.held)
		for i := range s.Rows {
			s.Rows[i] = c.ring[(c.next-c.held+i+batchRows)%batchRows].Clone()
		}
	}
	c.held, c.skipped = 0, 0
	return s
}

// Snapshots hands out a snapshot every tenth of a second until ctx ends or the
// last one was taken, and closes the channel then.
func (c *Collector) Snapshots(ctx context.Context) <-chan Snapshot {
	out := make(chan Snapshot)
	go func() {
		defer close(out)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			s := c.take()
			select {
			case out <- s:
			case <-ctx.Done():
				return
			}
			if s.Ended {
				return
			}
		}
	}()
	return out
}
