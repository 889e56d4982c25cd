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
	chosen  uint64 // writes that were compared
	unknown uint64 // writes of which too much is missing for a class
	more    uint64 // writes of classes beyond maxClasses
}

// Add takes a row, which stays the caller's. A write that had not returned has no outcome.
func (s *Side) Add(r *export.Row) {
	if r.Inside.Known {
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
		if s.classes == nil {
			s.classes = map[Class]*series{}
		}
		of = &series{}
		s.classes[c] = of
	}
	of.add(r)
}

// files are the names of all files, in no order.
func (s *Side) files() (out []string) {
	seen := map[string]bool{}
	for c := range s.classes {
		if !seen[c.File] {
			seen[c.File] = true
			out = append(out, c.File)
		}
	}
	return out
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
