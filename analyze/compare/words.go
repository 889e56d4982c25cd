package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
)

// none stands where there is no number.
const none = "-"

// Sentence says what changed, or that nothing did and what would have been seen.
func (r *Report) Sentence() string {
	var changed []*Pair
	for i := range r.Pairs {
		if len(r.Pairs[i].changed()) > 0 {
			changed = append(changed, &r.Pairs[i])
		}
	}
	if r.judgedPairs() == 0 {
		return r.nothing()
	}
	if len(changed) == 0 {
		return r.unchanged()
	}
	first := changed[0]
	text := first.sentence() + ": " + first.Title()
	more := len(changed) - 1
	if more > 0 && changed[more].all {
		more--
	}
	if more > 0 {
		text += fmt.Sprintf("; %s changed, too", plural(more, "more class"))
	}
	return text
}

// nothing says why no class was judged, and what all writes together tell then.
func (r *Report) nothing() string {
	why := "in no class are there writes in so many windows of time that one tells how much it differs from itself"
	switch {
	case r.A.chosen == 0 || r.B.chosen == 0:
		why = fmt.Sprintf("%d writes of A and %d of B", r.A.chosen, r.B.chosen)
	case !slices.ContainsFunc(r.Pairs, func(p Pair) bool { return !p.all }):
		why = fmt.Sprintf("A has %s, B has %s, and no class is in both", plural(len(r.OnlyA), "class"), plural(len(r.OnlyB), "class"))
	}
	for i := range r.Pairs {
		for k := range r.Pairs[i].Changes {
			if c := &r.Pairs[i].Changes[k]; c.Judged {
				return fmt.Sprintf("no class could be compared: %s; of all writes together %s", why, c.sentence())
			}
		}
	}
	return "nothing could be compared: " + why
}

// unchanged says how much would have been a change.
func (r *Report) unchanged() string {
	text := fmt.Sprintf("no significant change in %s, %d and %d writes", plural(r.judgedPairs(), "class"), r.A.chosen, r.B.chosen)
	for i := range r.Pairs {
		p := &r.Pairs[i]
		for k := range p.Changes {
			if c := &p.Changes[k]; c.Name == "throughput" && c.Judged {
				return text + fmt.Sprintf("; a throughput ×%s as high or as low would most likely have been seen in %s", times(c.Detectable), p.which(r))
			}
		}
	}
	return text
}

func (p *Pair) which(r *Report) string {
	if len(r.Pairs) == 1 {
		return "it"
	}
	if p.all {
		return "all of them together"
	}
	return "the class with the most time"
}

// told are the numbers of the sentence, the one that says the most first.
var told = []string{"exclusive", "throughput", "refused", "restarted", "failed", "mean wait", "mean latency", "p50 of latency", "p99 of latency"}

// maxTold is how many of them it has.
const maxTold = 4

// sentence is what changed in a class.
func (p *Pair) sentence() string {
	var parts []string
	for _, name := range told {
		for _, c := range p.changed() {
			if c.Name == name && len(parts) < maxTold {
				parts = append(parts, c.sentence())
			}
		}
	}
	if len(parts) == 0 { // reasons only
		for _, c := range p.changed() {
			if len(parts) < maxTold {
				parts = append(parts, c.sentence())
			}
		}
	}
	return strings.Join(parts, ", ")
}

func (c *Change) sentence() string {
	if c.Kind == Ratio {
		return fmt.Sprintf("%s ×%s (%s to %s)", export.Safe(c.Name), times(c.Diff), times(c.Low), times(c.High))
	}
	return fmt.Sprintf("%s %s to %s", export.Safe(c.Name), c.text(c.A), c.text(c.B))
}

// text writes one of the two values.
func (c *Change) text(v float64) string {
	switch {
	case math.IsNaN(v):
		return none
	case c.Kind == Share:
		return percent(v)
	case c.Unit == "ns":
		return export.Duration(uint64(v + 0.5))
	}
	return grouped(v)
}

// difference writes how much larger B is, interval how large that may be.
func (c *Change) difference() string {
	if !c.Judged {
		return none
	}
	return c.differs(c.Diff)
}

func (c *Change) interval() string {
	if !c.Judged {
		return none
	}
	return c.differs(c.Low) + " to " + c.differs(c.High)
}

func (c *Change) differs(v float64) string {
	sign := "+"
	if v < 0 {
		sign = "-"
	}
	switch c.Kind {
	case Ratio:
		return "×" + times(v)
	case Share:
		if v == 0 {
			sign = ""
		}
		return sign + strconv.FormatFloat(100*math.Abs(v), 'f', 1, 64)
	}
	if v = math.Round(math.Abs(v)); v == 0 {
		return "0"
	}
	return sign + export.Duration(uint64(v))
}

// outcome says whether the number changed.
func (c *Change) outcome() string {
	switch {
	case !c.Judged:
		return none
	case c.Significant:
		return "yes"
	}
	return "no"
}

// percent writes a share, so that not all and none look like all and none.
func percent(v float64) string {
	switch {
	case v == 0 || v == 1:
		return fmt.Sprintf("%.0f %%", 100*v)
	case v < 0.0005:
		return "<0.1 %"
	case v > 0.9995:
		return ">99.9 %"
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
}

// times writes how many times as large, in three digits.
func times(v float64) string {
	switch {
	case math.IsInf(v, 0) || v >= 1e6:
		return "1e6 and more"
	case v >= 99.95:
		return grouped(v)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// grouped writes a number of things.
func grouped(v float64) string {
	if v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Title names a class in words. Names are fit for a terminal.
func (p *Pair) Title() string {
	if p.all {
		return "all writes"
	}
	return title(&p.Class, p.Shortest, p.Longest)
}

// Title names a class in words.
func (s *Single) Title() string { return title(&s.Class, s.Shortest, s.Longest) }

func title(c *Class, shortest, longest int64) string {
	size := fmt.Sprintf("%d bytes", longest)
	if shortest < longest {
		size = fmt.Sprintf("%d to %d bytes", shortest, longest)
	}
	text := fmt.Sprintf("%s, %s, %s", export.Safe(c.File), c.words(), size)
	if !c.Nowait {
		text += ", blocks " + c.State.String()
	}
	return text
}

// plural writes a number of classes.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ses", n, noun)
}

// fact is something that may differ between the two recordings.
type fact struct{ Name, A, B string }

// differing lists what differs in where and how the two were recorded.
func (r *Report) differing() (out []fact) {
	value := func(s *Side, name string) string {
		for _, f := range s.Facts {
			if f.Name == name {
				return export.Safe(f.Value)
			}
		}
		return "not known"
	}
	seen := map[string]bool{"recorded": true} // never at the same time
	for _, s := range []*Side{r.A, r.B} {
		for _, f := range s.Facts {
			if a, b := value(r.A, f.Name), value(r.B, f.Name); !seen[f.Name] && a != b {
				out = append(out, fact{export.Safe(f.Name), a, b})
			}
			seen[f.Name] = true
		}
	}
	return out
}

// told is the line about a side.
func (s *Side) told() string {
	return fmt.Sprintf("%s: Linux %s, judged as %s, %d writes in %s",
		export.Safe(s.Name), export.Safe(s.fact("kernel")), export.Safe(cmp.Or(s.Summary.Variant, "nothing")), s.chosen, s.length())
}

func (s *Side) fact(name string) string {
	for _, f := range s.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return "not known"
}

// length is from the first write that was chosen to the end of the last.
func (s *Side) length() string {
	if s.all.last <= s.all.start {
		return "no time"
	}
	return export.Duration(s.all.last - s.all.start)
}
