package advice

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// What is worth a word. Writes that are exclusive are nothing bad by themselves: the first
// write of an inode is, and so is each append, and a healthy program has some of them. What
// counts is that somebody waits, or that a good part of the writes to a file takes the
// expensive way.
const (
	// most is how many findings are shown: who gets more reads none.
	most = 5
	// leastWrites is how many writes make a habit. Setting up, creating files and growing
	// them once are fewer.
	leastWrites = 20
	// leastLost is the part of the time of all writes that has to be lost, 1 in so many:
	// what is less is in the noise of one run to the next.
	leastLost = 50
	// leastPart is the part of the writes to a file, 1 in so many, that has to be concerned
	// where the cause costs something though nobody waits. A timestamp goes stale once a
	// tick, so that a few refusals in a hundred are what a fast NOWAIT writer gets in
	// any case.
	leastPart = 10
)

// Findings lists what is worth a word, what lost the most time first. names may be nil.
func (c *Counter) Findings(names export.Names) []export.Advice {
	out := []export.Advice{}
	for i := range catalogue {
		e := &catalogue[i]
		if a, ok := c.finding(e, names); ok {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b export.Advice) int {
		return cmp.Or(cmp.Compare(b.TimeLost, a.TimeLost), cmp.Compare(b.Writes, a.Writes))
	})
	return out[:min(len(out), most)]
}

// loses reports whether so much time is worth a word.
func (c *Counter) loses(ns uint64) bool { return ns > 0 && ns*leastLost >= c.total }

// worth reports whether what a cause makes of a number of writes is worth a word.
func (c *Counter) worth(e *entry, t tally, of uint64) bool {
	if t.writes < leastWrites {
		return false
	}
	return c.loses(t.ns) || e.alone && t.writes*leastPart >= of
}

// of is how many of a file a cause could concern: of what NOWAIT refuses, all tries.
func (f *file) of(cause cause) uint64 {
	if cause == nowaitTimestamps {
		return f.tries
	}
	return f.writes
}

// finding tells of an entry, if it is worth that: of the files in which it is, or of all
// together.
func (c *Counter) finding(e *entry, names export.Names) (export.Advice, bool) {
	files := append(make([]*file, 0, len(c.files)+1), &c.rest)
	for _, f := range c.files {
		files = append(files, f)
	}
	files = slices.DeleteFunc(files, func(f *file) bool { return f.cause[e.cause] == tally{} })
	if len(files) == 0 {
		return export.Advice{}, false
	}
	in := slices.DeleteFunc(slices.Clone(files), func(f *file) bool { return !c.worth(e, f.cause[e.cause], f.of(e.cause)) })
	if len(in) == 0 || slices.Contains(in, &c.rest) {
		in = files
	}
	slices.SortFunc(in, func(a, b *file) int {
		x, y := &a.cause[e.cause], &b.cause[e.cause]
		return cmp.Or(cmp.Compare(y.ns, x.ns), cmp.Compare(y.writes, x.writes), cmp.Compare(a.id.Dev, b.id.Dev), cmp.Compare(a.id.Ino, b.id.Ino))
	})
	s := said{facts: &c.facts[e.cause], variant: c.variant, files: len(in)}
	for _, f := range in {
		s.writes += f.cause[e.cause].writes
		s.ns += f.cause[e.cause].ns
		s.of += f.of(e.cause)
		s.threads = max(s.threads, f.appending())
	}
	if !c.worth(e, tally{s.writes, s.ns}, s.of) {
		return export.Advice{}, false
	}
	s.file, s.total, s.blind = in[0], c.total, c.NoWaits
	return e.say(&s, names), true
}

// say puts an entry into words.
func (e *entry) say(s *said, names export.Names) export.Advice {
	a := export.Advice{
		ID: ids[e.cause], Writes: s.writes, Of: s.of, Files: s.files, File: s.file.id, TimeLost: s.ns, TimeOf: s.total, Why: e.why(s),
	}
	name := export.FileName(s.file.id, names)
	if name != export.FileName(s.file.id, nil) {
		a.Path = name
	}
	unknown := s.file.id == (record.FileID{})
	switch {
	case unknown && s.files > 1:
		name = fmt.Sprintf("%d files and more", s.files-1)
	case unknown:
		name = "files that are too many to be told apart"
	case s.files > 1:
		name = fmt.Sprintf("%d files (%s most of all)", s.files, name)
	}
	a.Sentence = fmt.Sprintf("%s: %s%s", e.what, e.much(s, name), lostText(s))
	a.Remedies = append(a.Remedies, e.applying(s)...)
	a.Sure = "the writes and the time are counted; what the remedies brought on real kernels is in docs/advice.md"
	switch e.cause {
	case readersBeside:
		a.Remedies = append(a.Remedies, entryOf(s.mostExclusive()).applying(s)...)
	case kernelPatch:
		a.Remedies = append(a.Remedies, s.patchText())
		a.Sure += "; that such a kernel shares these writes is what the model says of them"
	}
	return a
}

// applying are the remedies that apply to what was seen.
func (e *entry) applying(s *said) (out []string) {
	for i := range e.remedies {
		r := &e.remedies[i]
		if r.when != nil && !r.when(s) {
			continue
		}
		text := r.text
		if !r.measured {
			text += " (not measured)"
		}
		out = append(out, text)
	}
	return out
}

// entryOf is the entry of a cause, an empty one when it has none.
func entryOf(c cause) *entry {
	for i := range catalogue {
		if catalogue[i].cause == c {
			return &catalogue[i]
		}
	}
	return &entry{}
}

// lostText says what of the time is lost.
func lostText(s *said) string {
	switch {
	case s.ns == 0 && s.blind:
		return "; it is not known whether anybody waited for that"
	case s.ns == 0:
		return "; nobody waited for that here"
	}
	share := 100 * float64(s.ns) / float64(max(s.total, 1))
	return fmt.Sprintf("; that took %s, %s of the time of all writes", export.Duration(s.ns), percent(share))
}

func percent(share float64) string {
	if share < 1 {
		return "less than 1 %"
	}
	return fmt.Sprintf("%.0f %%", share)
}
