package tui

import (
	"context"
	"sync"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// The time between snapshots. Where this process takes too much of a CPU for that, as in
// an emulated machine, it becomes longer.
const (
	shortest = 100 * time.Millisecond
	longest  = time.Second
	tooMuch  = 0.10 // of one CPU
	little   = 0.05
)

// pace is the time until the next snapshot, given that before this one and the share of a
// CPU that is taken now.
func pace(before time.Duration, share float64) time.Duration {
	switch {
	case share > tooMuch:
		return min(before*2, longest)
	case share < little:
		return max(before/2, shortest)
	}
	return before
}

// batchRows is the number of rows that one snapshot holds at most: more than
// any terminal shows, and more than anybody reads in a tenth of a second.
const batchRows = 256

// Snapshot is what is known at one moment.
type Snapshot struct {
	// Rows are those that came since the last snapshot and that the filter of writes
	// lets through, oldest first, each with its number among all writes. When more came
	// than fit, the newest are here and Skipped counts the others.
	Rows    []Numbered
	Skipped uint64
	Picture tally.Picture
	Summary export.Summary
	CPU     float64 // share of one CPU that this process takes; negative when not known
	Memory  uint64  // the most that it ever had resident, bytes; 0 when not known
	// Recording says that what is shown is recorded to a file, too.
	Recording bool
	Missing   string // what of a recording could not be read
	Note      string // what to tell the user, such as how the command ended
	Ended     bool   // no more will come
}

// Numbered is a row and its number among all writes, from 1.
type Numbered struct {
	export.Row
	Number uint64
}

// Matcher chooses rows.
type Matcher interface{ Match(r *export.Row) bool }

// Collector gathers rows on one side and hands out snapshots on the other.
type Collector struct {
	mu     sync.Mutex
	ring   []Numbered // reused between snapshots
	next   int        // where the next row goes
	held   int        // rows in ring
	writes uint64
	filter Matcher
	tally  *tally.Tally
	// recording is what the tally was made for.
	recording bool
	now       Snapshot // the next one but for its rows and its picture
	wants     bool     // a summary since the last snapshot

	usage func() Usage // of this process so far; nil when not known
	share cpuShare
}

// Usage is what a process has taken so far.
type Usage struct {
	CPU    time.Duration
	Memory uint64 // the most that was resident at any time, bytes
}

// NewCollector makes an empty Collector. usage tells what this process has taken, and may
// be nil.
func NewCollector(recording bool, usage func() Usage) *Collector {
	return &Collector{ring: make([]Numbered, batchRows), tally: tally.New(recording), recording: recording, usage: usage, wants: true}
}

// Add counts r and, when shown is true, takes a copy of it for the list of writes.
func (c *Collector) Add(r *export.Row, shown bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	c.tally.Add(r)
	if !shown || c.filter != nil && !c.filter.Match(r) {
		return
	}
	n := &c.ring[c.next]
	n.CopyFrom(r)
	n.Number = c.writes
	c.next = (c.next + 1) % batchRows
	if c.held < batchRows {
		c.held++
	} else {
		c.now.Skipped++
	}
}

// Anew begins to count from nothing, for rows that Add has had and gets once more. Those
// that are shown stay.
func (c *Collector) Anew() {
	c.locked(func() { c.writes, c.tally = 0, tally.New(c.recording) })
}

// locked does something while nothing else is done with c.
func (c *Collector) locked(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

// SetFilter chooses the rows that snapshots hold from now on; nil is all of them.
func (c *Collector) SetFilter(m Matcher) { c.locked(func() { c.filter = m }) }

// WantsSummary reports whether the summary is older than the last snapshot: to copy it
// more often than it is shown would cost something for nothing.
func (c *Collector) WantsSummary() (wants bool) {
	c.locked(func() { wants = c.wants })
	return wants
}

// SetSummary takes a copy of s.
func (c *Collector) SetSummary(s *export.Summary) {
	c.locked(func() {
		c.now.Summary = *s
		c.now.Summary.Totals = s.Totals.Clone()
		c.wants = false
	})
}

// SetRecording says whether what is shown is recorded to a file, too.
func (c *Collector) SetRecording(on bool) { c.locked(func() { c.now.Recording = on }) }

// SetMissing says what of a recording could not be read.
func (c *Collector) SetMissing(text string) { c.locked(func() { c.now.Missing = text }) }

// SetNote sets what is told to the user.
func (c *Collector) SetNote(note string) { c.locked(func() { c.now.Note = note }) }

// End says that nothing more will come.
func (c *Collector) End() { c.locked(func() { c.now.Ended = true }) }

// take hands out what has gathered.
func (c *Collector) take(now time.Time) Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.now
	s.CPU, s.Picture = -1, c.tally.Picture(s.Summary.Elapsed)
	if c.held > 0 {
		s.Rows = make([]Numbered, c.held)
		for i := range s.Rows {
			from := &c.ring[(c.next-c.held+i+batchRows)%batchRows]
			s.Rows[i] = Numbered{from.Clone(), from.Number}
		}
	}
	if c.usage != nil {
		u := c.usage()
		s.CPU, s.Memory = c.share.of(now, u.CPU), u.Memory
	}
	c.held, c.now.Skipped, c.wants = 0, 0, true
	return s
}

// cpuShare tells what share of one CPU was taken over the last second or two.
type cpuShare struct {
	at    time.Time
	cpu   time.Duration
	share float64
}

func (s *cpuShare) of(now time.Time, cpu time.Duration) float64 {
	if s.at.IsZero() {
		s.at, s.cpu, s.share = now, cpu, -1
	}
	if over := now.Sub(s.at); over >= time.Second {
		s.share = (cpu - s.cpu).Seconds() / over.Seconds()
		s.at, s.cpu = now, cpu
	}
	return s.share
}

// Snapshots hands out a snapshot every tenth of a second, or less often, until ctx ends
// or the last one was taken, and closes the channel then.
func (c *Collector) Snapshots(ctx context.Context) <-chan Snapshot {
	out := make(chan Snapshot)
	go func() {
		defer close(out)
		every, share := shortest, -1.0
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			var now time.Time
			select {
			case <-ctx.Done():
				return
			case now = <-tick.C:
			}
			s := c.take(now)
			select {
			case out <- s:
			case <-ctx.Done():
				return
			}
			if s.Ended {
				return
			}
			if s.CPU != share && s.CPU >= 0 { // it was measured anew
				share = s.CPU
				every = pace(every, share)
				tick.Reset(every)
			}
		}
	}()
	return out
}
