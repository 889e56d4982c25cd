package compare

import (
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/report"
)

// maxClasses is how many classes are told apart in one recording.
const maxClasses = 512

// Side is one of the two recordings. Its zero value is empty and ready.
type Side struct {
	// Set before Compare.
	Name    string         // of the file
	Facts   []report.Fact  // where it was recorded
	Missing []string       // what it does not hold, beside the losses
	Summary export.Summary // of all its writes, those that were not chosen among them

	all     series
	classes map[Class]*series
	writes  map[string]float64 // of each file, those that were not chosen among them
	chosen  uint64             // writes that were compared
	unknown uint64             // writes of which too much is missing for a class
	more    uint64             // writes of classes beyond maxClasses
}

// Choice is what a write is to a comparison.
type Choice uint8

// Choices.
const (
	Outside Choice = iota // of the time that is compared
	Beside                // left out, but it may have queued with those that are compared
	Chosen
)

// maxFiles is how many files have their writes counted.
const maxFiles = 1 << 16

// Add takes a row, which stays the caller's. A write that had not returned has no outcome.
func (s *Side) Add(r *export.Row, choice Choice) {
	if r.Inside.Known || choice == Outside {
		return
	}
	if s.classes == nil {
		s.classes, s.writes = map[Class]*series{}, map[string]float64{}
	}
	file := fileOf(r)
	if _, ok := s.writes[file]; ok || len(s.writes) < maxFiles {
		s.writes[file]++
	}
	if choice != Chosen {
		return
	}
	c, ok := classOf(r)
	if !ok {
		s.unknown++
		return
	}
	s.chosen++
	s.all.add(r)
	of := s.classes[c]
	if of == nil {
		if len(s.classes) == maxClasses {
			s.more++
			return
		}
		of = &series{}
		s.classes[c] = of
	}
	of.add(r)
}

// half is a class on one side.
type half struct {
	*series
	others float64 // share of other classes in the writes of its file
	waits  float64 // share of waits in the latency
}

func (s *Side) half(c Class, of *series) half {
	h := half{series: of, others: 1, waits: of.waiting()}
	if all := s.writes[c.File]; all > 0 { // else there are too many files
		h.others -= of.sum(func(w *window) float64 { return w.writes }) / all
	}
	return h
}

// mix is all classes together. Of the largest one it hardly matters when its turn is.
func (s *Side) mix() half {
	most, all := 0.0, 0.0
	for _, n := range s.writes {
		all += n
	}
	for _, of := range s.classes {
		most = max(most, of.sum(func(w *window) float64 { return w.writes }))
	}
	return half{&s.all, 1 - most/all, s.all.waiting()}
}

// waiting is the share of waits in the latency.
func (s *series) waiting() float64 {
	if s.timeNs == 0 {
		return 0
	}
	return min(1, s.sum(func(w *window) float64 { return w.waitNs })/s.timeNs)
}

// missing is all that the recording does not hold.
func (s *Side) missing() []string {
	out := append([]string(nil), s.Missing...)
	if s.Summary.Losses.Any() {
		out = append(out, "lost: "+s.Summary.Losses.String())
	}
	if t := &s.Summary.Totals; t.Incomplete > 0 {
		out = append(out, export.Plural(t.Incomplete, "write")+" incomplete: "+t.IncompleteText())
	}
	if out == nil && s.Summary.Unproven() {
		out = append(out, "not all writes that began were seen to end")
	}
	return out
}
