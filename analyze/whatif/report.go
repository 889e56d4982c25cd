package whatif

import (
	"fmt"
	"time"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// SweepRow is what both kernels do with a number of writers.
type SweepRow struct {
	Jobs int      `json:"jobs"`
	Now  Interval `json:"now_per_second"`
	Then Interval `json:"then_per_second"`
}

// Report is the answer. Now is the simulation of the kernel that was traced, Then that
// of the other variant; both are empty when the prediction was refused.
type Report struct {
	Traced      string        `json:"traced"`  // the variant of the trace, set by the caller
	Variant     model.Variant `json:"variant"` // in the answer; that of the trace, set by the caller, when only the application changes
	App         App           `json:"app"`     // what it does otherwise in the answer; empty: nothing
	Costs       string        `json:"costs,omitempty"`
	Remedies    []Remedy      `json:"remedies,omitempty"` // all that change something, the best first
	Marks       []string      `json:"marks,omitempty"`    // what is missing
	Refused     string        `json:"refused,omitempty"`  // why no time is predicted
	Phases      []Phase       `json:"phases"`
	Beside      uint64        `json:"writes_beside,omitempty"` // simulated, and left out by a filter
	Decisions   Decisions     `json:"decisions"`
	Holds       *Holds        `json:"holds"` // of i_rwsem by others than writes; null: none are recorded
	Assumptions []string      `json:"assumptions,omitempty"`
	Measured    Summary       `json:"measured"`
	Now         Summary       `json:"simulated_now"`
	Off         float64       `json:"off"`       // throughput: simulated against measured
	WaitsOff    float64       `json:"waits_off"` // mean wait, as a part of the mean latency
	Then        Summary       `json:"simulated_then"`
	Files       []Gain        `json:"files,omitempty"`
	Writers     []Gain        `json:"processes,omitempty"`
	Sweep       []SweepRow    `json:"sweep,omitempty"`
	Sentence    string        `json:"sentence,omitempty"`
	Seed        uint64        `json:"seed"`
	Seeds       int           `json:"seeds"`
}

// Proven reports whether nothing was missing and time was predicted.
func (r *Report) Proven() bool { return r.Refused == "" && len(r.Marks) == 0 }

// Times is how many times the throughput is, 0 when it is not predicted.
func (r *Report) Times() float64 {
	if r.Refused != "" || r.Now.PerSecond.Mid == 0 {
		return 0
	}
	return r.Then.PerSecond.Mid / r.Now.PerSecond.Mid
}

// assume says what the simulation takes for granted.
func (r *Report) assume(scenes []*scene, windows int) {
	deepest, grows, unsteady := 0, false, 0
	queued, others, writes, cut := false, 0, 0, int64(0)
	for _, sc := range scenes {
		deepest = max(deepest, sc.disk.deepest)
		cut += sc.cut
		others, writes = others+sc.others, writes+sc.w.writes
		grows = grows || sc.disk.growth > 0
		if !sc.steady {
			unsteady++
		}
		for i := range sc.paces {
			queued = queued || sc.paces[i].depth > 1
		}
	}
	say := func(format string, args ...any) { r.Assumptions = append(r.Assumptions, fmt.Sprintf(format, args...)) }
	if windows > len(scenes) {
		say("the simulation repeats %d parts of the trace of %d writes each, of %d, chosen by chance", len(scenes), windowSteps, windows)
	}
	if r.Beside > 0 {
		say("%d writes that the filter leaves out are simulated beside the others, and not counted", r.Beside)
	}
	say("each task writes on as soon as before: what it does between its writes takes as long as in the trace")
	if cut > 0 {
		say("times in which no task wrote are left out, %s in the parts that are simulated: throughput is that of the time between them", duration(float64(cut)))
	}
	if n := r.Decisions.Retried; n > 0 {
		say("%d writes that NOWAIT refused are one request with the write after them, which another thread makes: where the other kernel refuses them, too, as soon and as often as in the trace", n)
	}
	if queued {
		say("a task that queues writes never has more in flight than in the trace")
	}
	if unsteady > 0 {
		say("in %d of %d parts tasks come and go: they come as often as in the trace, so that a gain shows in waits rather than in throughput", unsteady, len(scenes))
	}
	say("most writes in flight on the disk: %d; I/O takes as long as in the trace, drawn anew for each seed", deepest)
	if grows {
		say("I/O took longer with more in flight, and is taken to go on so beyond that")
	} else {
		say("I/O did not take longer with more in flight, and is taken not to beyond that: a disk that is busy already gives less")
	}
	say("i_rwsem: first come, first served; all readers in the queue are woken when one is at its head; a free lock may be taken before a woken writer is there, until that has waited 4 ms")
	say("a writer runs 50 µs after it was woken; the range includes the predictions with 10 and 200 µs")
	r.Assumptions = append(r.Assumptions, r.held(others, writes)...)
	say("there are CPUs enough, and locks other than i_rwsem are not waited for")
}

// sentence puts the answer into one.
func (r *Report) sentence() string {
	d := &r.Decisions
	gained := d.count(Exclusive, Shared)
	exclusive := uint64(0)
	for l := range Lock(numLocks) {
		exclusive += d.count(Exclusive, l)
	}
	times := r.Times()
	under := r.under()
	switch {
	case d.Changed == 0 && (times >= 1.1 || times <= 0.9 || r.App.NoNowait && d.Retried > 0):
		return fmt.Sprintf("%s the writes would lock as they do, at about %.1f times the throughput: %s.", under, times, r.indirect())
	case exclusive == 0 && d.Changed == 0:
		return under + " nothing would change: no write holds i_rwsem exclusive."
	case gained == 0 && d.Changed == 0:
		return fmt.Sprintf("%s nothing would change for %d exclusive writes: %s.", under, exclusive, r.why(Exclusive))
	case gained == 0:
		return fmt.Sprintf("%s no exclusive write would be shared, and %d would go down otherwise: about %.1f times the throughput.", under, d.Changed, times)
	case times < 1.1 && times > 0.9:
		return fmt.Sprintf("%s %s of the exclusive writes would be shared, because %s, but the throughput would hardly change (%.2f times)%s.", under,
			percent(gained, exclusive), r.why(Shared), times, r.stays())
	}
	return fmt.Sprintf("%s %s of the exclusive writes would be shared: about %.1f times the throughput, because %s%s.", under, percent(gained, exclusive), times, r.why(Shared), r.provided())
}

// indirect says why writes that lock as before are faster or slower.
func (r *Report) indirect() string {
	switch {
	case r.App.NoNowait && r.Decisions.Retried > 0:
		return fmt.Sprintf("%d of them are refused first and made again, which takes that long", r.Decisions.Retried)
	case r.App.Alone:
		return "they do not wait for who else held i_rwsem"
	case r.Beside > 0:
		return "the writes beside them, which the filter leaves out, lock otherwise"
	}
	return "what they wait for changes"
}

// under says what is changed.
func (r *Report) under() string {
	switch app := r.App.String(); {
	case app == "":
		return "Under " + r.Variant.String()
	case r.Variant == 0:
		return "With " + app
	default:
		return "With " + app + " under " + r.Variant.String()
	}
}

// provided says what a gain rests on that the trace does not show: that the disk does
// much more at a time than it did.
func (r *Report) provided() string {
	was, then := max(r.Measured.Depth, 1), r.Then.Depth
	if then < 2*was {
		return ""
	}
	return fmt.Sprintf("; provided that the disk does %d writes at a time as fast as %d, which was the most in the trace", then, was)
}

// stays says why a shared lock does not help.
func (r *Report) stays() string {
	if r.Decisions.count(Exclusive, Exclusive) > 0 {
		return ": the others stay exclusive, since " + r.why(Exclusive)
	}
	if r.Now.MeanWaitNs*10 < r.Now.MeanLatencyNs {
		return ": writes hardly wait for i_rwsem"
	}
	return ""
}

var whys = map[model.Reason]string{
	model.ReasonAligned:   "they are aligned and inside i_size",
	model.ReasonWritten:   "the blocks that they write in part are written",
	model.ReasonNoPartial: "they write no block in part",
	model.ReasonOverwrite: "they overwrite blocks that are there",
	model.ReasonExtending: "they extend the file",
	model.ReasonDisksize:  "they extend i_disksize",
	model.ReasonHead:      "a part of their first block has to be zeroed",
	model.ReasonTail:      "a part of their last block has to be zeroed",
	model.ReasonNotOver:   "they are no overwrites of one extent",
	model.ReasonUnwritten: "they are unaligned and their blocks unwritten",
	model.ReasonNosec:     "the inode may hold privileges that a write removes",
	model.ReasonGuess:     "they looked as if they extend the file before the lock was held",
	model.ReasonUnaligned: "they are unaligned",
}

// why is the most frequent reason for the lock of writes that are exclusive now.
func (r *Report) why(then Lock) string {
	for i := range r.Decisions.Cells {
		c := &r.Decisions.Cells[i]
		if c.Now != Exclusive || c.Then != then {
			continue
		}
		if text := whys[model.Reason(c.Why)]; text != "" {
			return text
		}
		return c.Why
	}
	return "of no reason that was seen"
}

func percent(n, of uint64) string {
	if n == of {
		return "all"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(max(of, 1)))
}

// duration words ns with three digits.
func duration(ns float64) string {
	d := time.Duration(ns)
	for unit := time.Second; unit >= time.Microsecond; unit /= 1000 {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}
