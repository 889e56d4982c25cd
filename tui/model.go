package tui

import (
	"slices"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/tally"
)

// screen is one of the screens between which tab changes.
type screen int

const (
	onFiles screen = iota
	onProcesses
	onReasons
	onWrites
	onFindings
	onProbes
	numScreens
)

var screenNames = [numScreens]string{"Files", "Processes", "Reasons", "Writes", "Findings", "Probes"}

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
	Recorded  bool   // what is shown is recorded to a file, from the beginning
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
	// WhatIf tells what a variant of the kernel would do with the writes: with those that
	// come from the first call for it on, or with all of a recording. "" ends it.
	WhatIf   func(variant string) (WhatIf, error)
	Variants []string // that can be asked for, and the one to begin with
	Other    string
	// Window returns writes of a recording, and may be called once it was read.
	Window func(Seek) ([]Numbered, error)
}

// WhatIf is what another variant would do with writes.
type WhatIf struct {
	Writes    uint64
	Undecided uint64 // for want of a fact
	Rows      []WhatIfRow
}

// WhatIfRow counts writes that are alike in what both kernels do with them.
type WhatIfRow struct {
	Reason, Now, Then, Why string // Why is the other's reason, or what is missing
	Writes, WaitNs         uint64
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

// groupScreen is the state of one of the three screens with groups.
type groupScreen struct {
	list
	sort    string // title of the column
	reverse bool
	filter  string
	shift   int
	key     tally.Key // of the selected one
	chosen  bool      // somebody has selected it; else the first is
	rows    []tally.Group
}

// model is the state of the screen.
type model struct {
	opts   Options
	keys   keyMap
	styles styles
	feed   <-chan Snapshot

	width, height int // 0 before the first size is known

	screen  screen
	picture tally.Picture
	summary export.Summary
	cpu     float64
	memory  uint64
	note    string
	missing string // see Snapshot.Missing
	ended   bool
	rates   []ratePoint

	paused  bool
	pending *Snapshot // the newest while paused
	groups  [onReasons + 1]groupScreen
	writes  writeList
	finding list
	probe   list

	one    *oneWrite
	help   bool
	helped list
	prompt *prompt

	missed  map[string]uint64
	asking  bool          // for them
	askedAt time.Duration // of the recording

	whatIf *whatIf // nil unless it is shown

	recording bool   // records to a file
	said      string // what an action said, until the next key
	failed    bool   // it failed
}

// Rates are taken over this time, and as many snapshots may come in it.
const (
	rateTime   = time.Second
	ratePoints = 10
)

func newModel(feed <-chan Snapshot, o Options) *model {
	m := &model{opts: o, keys: newKeyMap(), styles: newStyles(), feed: feed, cpu: -1}
	m.writes.follow, m.writes.start = true, o.Start
	for i := range m.groups {
		m.groups[i].sort = "W/S"
	}
	m.keys.Suspend.SetEnabled(o.CanSuspend)
	m.keys.Record.SetEnabled(o.Record != nil)
	m.keys.Report.SetEnabled(o.Report != nil)
	m.keys.GoTo.SetEnabled(o.Window != nil)
	m.keys.WhatIf.SetEnabled(o.WhatIf != nil)
	return m
}

// take brings in a snapshot. While the screen is paused, the writes gather and the rest
// waits.
func (m *model) take(s Snapshot) {
	m.ended, m.note, m.missing, m.recording = s.Ended, s.Note, s.Missing, s.Recording
	if m.paused {
		m.writes.hold(s.Rows, s.Skipped)
		m.pending = &s
		return
	}
	m.show(s)
	m.writes.push(s.Rows, s.Skipped, m.layout().rows)
}

// show makes s what is on the screen, but for its rows.
func (m *model) show(s Snapshot) {
	m.picture, m.summary, m.cpu, m.memory = s.Picture, s.Summary, s.CPU, s.Memory
	p := ratePoint{at: s.Summary.Elapsed, writes: s.Summary.Totals.Writes, shared: s.Summary.Totals.Shared, exclusive: s.Summary.Totals.Exclusive}
	for i := range s.Picture.Reasons {
		g := &s.Picture.Reasons[i]
		p.waitNs, p.timeNs = p.waitNs+g.WaitNs, p.timeNs+g.TimeNs
	}
	m.rates = append(m.rates, p)
	if len(m.rates) > ratePoints+1 {
		m.rates = m.rates[1:]
	}
	m.arrange()
}

// setPaused stops or resumes the screen. What came meanwhile is not lost.
func (m *model) setPaused(paused bool) {
	m.paused = paused
	if paused {
		return
	}
	if m.pending != nil {
		m.show(*m.pending)
		m.pending = nil
	}
	m.writes.release(m.layout().rows)
}

// arrange filters and sorts the groups of the screens, and keeps what is selected.
func (m *model) arrange() {
	for i, all := range [...][]tally.Group{m.picture.Files, m.picture.Processes, m.picture.Reasons} {
		g := &m.groups[i]
		g.rows = g.rows[:0]
		for _, row := range all {
			if g.filter == "" || matches(screen(i), &row, g.filter) {
				g.rows = append(g.rows, row)
			}
		}
		order := sortOrder(screen(i), g.sort)
		slices.SortStableFunc(g.rows, func(a, b tally.Group) int {
			if a.Others != b.Others {
				return map[bool]int{true: 1, false: -1}[a.Others]
			}
			n := order(&a, &b)
			if g.reverse {
				n = -n
			}
			if n == 0 {
				n = byWrites(&a, &b)
			}
			return n
		})
		if g.chosen {
			if at := slices.IndexFunc(g.rows, func(row tally.Group) bool { return row.Key() == g.key }); at >= 0 {
				g.cursor = at
			}
		} else {
			g.cursor = 0
		}
	}
	m.settle()
}

// matches reports whether a text is in the name of a group, or in why its writes were
// exclusive.
func matches(on screen, g *tally.Group, text string) bool {
	said := groupName(on, g) + " " + classText(&g.Counts, far)
	return strings.Contains(strings.ToLower(said), strings.ToLower(text))
}

// settle brings everything that scrolls within its lines.
func (m *model) settle() {
	room := m.layout().rows
	for i := range m.groups {
		m.groups[i].settle(len(m.groups[i].rows), room)
	}
	m.writes.settle(room)
	m.finding.settle(len(m.picture.Findings), room)
	m.probe.settle(len(m.probeLines()), m.layout().body)
	if m.one != nil {
		m.scrollOne(0)
	}
	if m.whatIf != nil {
		m.whatIf.settle(len(m.whatIfLines()), m.layout().body)
	}
	if m.help {
		m.helped.top = min(m.helped.top, max(len(m.helpText())-m.layout().body, 0))
	}
}

// span is what changed over the last second, or over all that was seen when the feed has
// ended.
func (m *model) span() ratePoint {
	if len(m.rates) == 0 {
		return ratePoint{}
	}
	last := m.rates[len(m.rates)-1]
	if m.opts.Recording || m.ended {
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
