package tally

import (
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/histogram"
)

// NumOctaves is how many bins the distributions of waits have: to 2^20 * 1024 ns, about a
// second, and one for what is longer.
const NumOctaves = 22

// Waits is the distribution of the waits for i_rwsem of the writes with one lock mode.
type Waits struct {
	Writes        uint64
	Octaves       [NumOctaves]uint64 // see histogram.Times.Octaves
	P50, P99, Max uint64             // ns, see histogram.Times.Quantile
}

// Picture is what is known at one moment.
type Picture struct {
	Files, Processes, Reasons []Group
	Series                    Series
	Shared, Exclusive         Waits
	Waited                    Waited
	Findings                  []Finding
	MoreFindings              uint64 // disagreements of kinds that are not in Findings
}

// Waited is who waited for i_rwsem, and for whom.
type Waited struct {
	Pairs   []Pair
	Ns      uint64 // all that was waited
	Unknown uint64 // of that, what it is not known of for whom
	Times   uint64
	Unseen  uint64 // writes of which it is not known whether they waited
	Holders bool   // some held the lock, or stood before, who made no write that is recorded
}

// Pair is one who waited for another, at one file.
type Pair struct {
	export.Blame
	Path string // of the file, raw; empty when not known
	More bool   // all pairs that have no place of their own
}

// Tally counts rows.
type Tally struct {
	files     groups[export.FileID]
	processes groups[export.ProcessNumber] // by tgid
	reasons   groups[string]
	series    series
	waits     [export.Exclusive + 1]histogram.Times
	blames    export.Blames
	findings  Findings
	writes    uint64
	rated     time.Duration
}

// Span lengths of a kernel's Series and of the first of a recording's.
const (
	liveSpan   = time.Second
	recordSpan = 10 * time.Millisecond
)

// New makes a Tally of what comes from a kernel, or of a whole recording.
func New(recording bool) *Tally {
	t := &Tally{series: series{whole: recording, width: uint64(liveSpan)}, blames: export.Blames{PerFile: true}}
	if recording {
		t.series.width = uint64(recordSpan)
	}
	return t
}

// Add counts r, which stays the caller's.
func (t *Tally) Add(r *export.Row) {
	if r.Inside.Known {
		return
	}
	t.writes++
	reason := r.ReasonText()
	f := factsOf(r, reason)
	file, isNew := t.files.of(r.File(), r.Ino)
	if isNew {
		file.group.Key = Key{Dev: r.Dev, Ino: r.Ino, Generation: r.Generation.V}
	}
	if r.Path != "" && !file.group.Others { // what it is called now
		file.group.Path = r.Path
	}
	file.add(r, &f)
	process, isNew := t.processes.of(r.ProcessNumber(), uint64(r.Pid))
	if isNew {
		process.group.Key = Key{ProcessNumber: r.ProcessNumber()}
	}
	process.name(r)
	process.add(r, &f)
	why, isNew := t.reasons.of(reason, uint64(len(reason)))
	if isNew {
		why.group.Key = Key{Reason: reason}
	}
	why.add(r, &f)
	t.series.add(r)
	if r.Lock.Known && r.WaitNs.Known {
		t.waits[r.Lock.V].Add(r.WaitNs.V)
	}
	t.blames.Add(r)
	if r.Disagrees() {
		t.findings.Add(r, reason, t.writes)
	}
}

// rateEvery is the time over which rates of groups are taken.
const rateEvery = time.Second

// Picture makes a picture. elapsed is the time since the first write could be seen; the
// rates are those of the last second, or those over all of a recording.
func (t *Tally) Picture(elapsed time.Duration) Picture {
	if over := elapsed - t.rated; over >= rateEvery || t.series.whole && elapsed > 0 {
		t.files.rate(over.Seconds(), t.series.whole)
		t.processes.rate(over.Seconds(), t.series.whole)
		t.reasons.rate(over.Seconds(), t.series.whole)
		if !t.series.whole {
			t.rated = elapsed
		}
	}
	p := Picture{
		Files: t.files.picture(), Processes: t.processes.picture(), Reasons: t.reasons.picture(),
		Waited: t.waited(), Series: t.series.picture(), Findings: t.findings.List(), MoreFindings: t.findings.More(),
	}
	p.Shared.of(&t.waits[export.Shared])
	p.Exclusive.of(&t.waits[export.Exclusive])
	return p
}

func (w *Waits) of(h *histogram.Times) {
	h.Octaves(w.Octaves[:])
	w.Writes, w.P50, w.P99, w.Max = h.Len(), h.Quantile(0.5), h.Quantile(0.99), h.Max()
}

func (t *Tally) waited() Waited {
	b := &t.blames
	w := Waited{Ns: b.Ns, Unknown: b.Unknown, Times: b.Times, Unseen: b.Unseen}
	list := b.List()
	w.Pairs = make([]Pair, 0, len(list)+1)
	for _, bl := range list {
		p := Pair{Blame: *bl}
		w.Holders = w.Holders || bl.Op != "" && bl.Op != observe.OpWrite
		if file := t.files.All[bl.File]; file != nil {
			p.Path = file.group.Path
		}
		w.Pairs = append(w.Pairs, p)
	}
	if more := b.More(); more.Ns > 0 {
		w.Pairs = append(w.Pairs, Pair{Blame: more, More: true})
	}
	return w
}
