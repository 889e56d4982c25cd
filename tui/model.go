package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/export"
)

// Options say what is shown beside the writes, and what keys can do. A function that is
// nil is not offered. They are called outside of Update, and may take their time.
type Options struct {
	Kernel    string   // release of the running kernel
	Attached  int      // probes
	Mode      string   // how they are attached
	Missing   []string // functions that are not probed
	Probes    []Probe
	Start     uint64 // what times are counted from, ns of CLOCK_MONOTONIC; 0: the first write
	Recording bool   // what is shown comes from a file
	QuitAtEnd bool   // quit when the feed ends
	// CanSuspend says that a shell is there to continue after ctrl+z.
	CanSuspend bool
	NoColor    bool
	ASCII      bool // the terminal shows no other characters

	// Filter parses a filter of writes; the error fits on one line.
	Filter func(text string) (Matcher, error)
	// SetFilter chooses the writes that come from now on, all of them with nil.
	SetFilter func(Matcher)
	// Record begins or ends to record, and says so.
	Record func(on bool) (string, error)
	// Report writes a report and says where. The writes are those that are kept here, and
	// the first of each finding, in order.
	Report func(rows []Numbered, s export.Summary) (string, error)
	// Missed tells how often the kernel skipped the programs of each probe, by its
	// function.
	Missed func() (map[string]uint64, error)
	// Inside lists the writes that are in the kernel now.
	Inside func() ([]export.Inside, error)
	// WhatIf tells what a variant of the kernel would do with the writes: with those that
	// come from the first call for it on, or with all of a recording. "" ends it.
	WhatIf   func(variant string) (whatif.Decisions, error)
	Variants []string // that can be asked for, and the one to begin with
	Other    string
	// Window returns writes of a recording, and may be called once it was read.
	Window func(Seek) ([]Numbered, error)
}

// Seek says which writes of a recording are wanted: N at most of those that Match lets
// through.
type Seek struct {
	At       uint64 // time since the start, ns
	ByNumber bool   // At is the number of a write
	Before   bool   // those before that number instead of those from it on
	Match    Matcher
	N        int
}

// Probe is one probe of the plan.
type Probe struct {
	Name, Func, How string // How is empty when it is not attached
	Tells, Why      string
}

// ratePoint is the number of writes at one moment.
type ratePoint struct {
	at                        time.Duration
	writes, shared, exclusive uint64
	waitNs, timeNs            uint64
}

// model is what all screens share, and which of them are shown.
type model struct {
	opts   Options
	keys   keyMap
	styles styles
	feed   <-chan Snapshot

	width, height int // 0 before the first size is known

	tabs   []tab
	writes *writesTab // one of them
	inside insideList
	tab    tab      // that is shown
	over   []screen // what is shown over it, the top one last

	now   Snapshot // what is known, but for its rows
	rates []ratePoint

	paused  bool
	pending *Snapshot // the newest while paused, with the rows of all since then

	said   string // what an action said, until the next key
	failed bool   // it failed
}

// Rates are taken over this time, and as many snapshots may come in it.
const (
	rateTime   = time.Second
	ratePoints = 10
)

func newModel(feed <-chan Snapshot, o Options) *model {
	m := &model{opts: o, styles: newStyles(), feed: feed, now: Snapshot{CPU: -1}}
	m.inside.m, m.writes = m, newWritesTab(m)
	m.tabs = newTabs(m)
	m.tab = m.tabs[0]
	m.keys = newKeyMap(&o, len(m.tabs))
	return m
}

// take brings in a snapshot. While the screen is paused, the writes gather and the rest
// waits.
func (m *model) take(s Snapshot) tea.Cmd {
	if !m.paused {
		return m.show(s)
	}
	m.now.Ended, m.now.Note, m.now.Missing, m.now.Recording = s.Ended, s.Note, s.Missing, s.Recording
	if p := m.pending; p != nil {
		all := append(p.Rows, s.Rows...)
		s.Rows = trim(all)
		s.Skipped += p.Skipped + uint64(len(all)-len(s.Rows))
	}
	m.pending = &s
	return m.tell(m.now)
}

// show makes s what is on the screen.
func (m *model) show(s Snapshot) tea.Cmd {
	m.now = s
	m.now.Rows = nil
	p := ratePoint{at: s.Summary.Elapsed, writes: s.Summary.Totals.Writes, shared: s.Summary.Totals.Shared, exclusive: s.Summary.Totals.Exclusive}
	for i := range s.Picture.Reasons {
		g := &s.Picture.Reasons[i]
		p.waitNs, p.timeNs = p.waitNs+g.WaitNs, p.timeNs+g.TimeNs
	}
	m.rates = append(m.rates, p)
	if len(m.rates) > ratePoints+1 {
		m.rates = m.rates[1:]
	}
	return m.tell(s)
}

// togglePause stops or resumes the screen. What came meanwhile is not lost.
func (m *model) togglePause() tea.Cmd {
	m.paused = !m.paused
	s := m.pending
	if s == nil {
		return nil
	}
	m.pending = nil
	return m.show(*s)
}

// waiting is the number of writes that came since the screen is paused.
func (m *model) waiting() uint64 {
	if m.pending == nil {
		return 0
	}
	return uint64(len(m.pending.Rows)) + m.pending.Skipped
}

// span is what changed over the last second, or over all that was seen when the feed has
// ended.
func (m *model) span() ratePoint {
	if len(m.rates) == 0 {
		return ratePoint{}
	}
	last := m.rates[len(m.rates)-1]
	if m.opts.Recording || m.now.Ended {
		return last
	}
	first := ratePoint{}
	for _, p := range m.rates[:len(m.rates)-1] {
		if p.at+rateTime <= last.at || first.at == 0 {
			first = p
		}
	}
	return ratePoint{
		at: last.at - first.at, writes: last.writes - first.writes, shared: last.shared - first.shared, exclusive: last.exclusive - first.exclusive,
		waitNs: last.waitNs - first.waitNs, timeNs: last.timeNs - first.timeNs,
	}
}

// perSecond is a number of writes as a rate over the time of p.
func (p *ratePoint) perSecond(n uint64) float64 {
	if p.at <= 0 {
		return 0
	}
	return float64(n) / p.at.Seconds()
}
