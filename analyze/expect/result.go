package expect

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
)

// State is what is known of a requirement.
type State string

// States of a requirement, and of all of them.
const (
	Kept     State = "kept"
	Broken   State = "broken"
	Unproven State = "unproven"
)

// Result is a requirement and what came of it.
type Result struct {
	Policy      string    `json:"policy" doc:"as it was written"`
	Where       string    `json:"where" doc:"FILE:LINE; empty of one on the command line"`
	Meant       string    `json:"meant" doc:"its filter; empty for all writes"`
	Requirement string    `json:"requirement" doc:"the one of its requirements"`
	State       State     `json:"state" doc:"kept, broken, unproven"`
	Value       string    `json:"value" doc:"what came out, in words"`
	Number      *float64  `json:"number" doc:"the same as a number: writes, a share of 1, ns, or writes a second; null when it is not known"`
	AtMost      bool      `json:"at_most" doc:"number is an upper bound, at most a quarter too large"`
	Why         *string   `json:"why" doc:"why it is unproven; else null"`
	Writes      uint64    `json:"writes" doc:"that the policy is about"`
	Unknown     uint64    `json:"unknown" doc:"of them, those of which the fact is not known"`
	Offending   uint64    `json:"offending" doc:"writes that the requirement does not want"`
	Offences    []Offence `json:"offences" doc:"the first of them"`
}

// Whole says what is known of all writes, when they are over.
type Whole struct {
	Elapsed time.Duration // 0 when it is not known
	Missing string        // why not all writes were seen; empty when all were
	Sampled bool          // it is only of some of the writes, by chance
}

// WholeOf is what a summary tells, and missing of what else was not seen.
func WholeOf(s *export.Summary, missing string) Whole {
	w := Whole{Elapsed: s.Elapsed, Missing: missing, Sampled: s.Sample.OneIn > 0}
	switch {
	case missing != "":
	case s.Losses.Any():
		w.Missing = "writes are lost: " + s.Losses.String()
	case s.Losses.Unfinished+s.Totals.Unreturned > 0:
		w.Missing = "writes did not return"
	case s.Unpaired > 0:
		w.Missing = "the end of writes was not seen"
	case s.Unaccounted() > 0:
		w.Missing = "it is not known what became of writes"
	case s.Losses.TooFast > 0:
		w.Missing = "writes were left out by --min-latency"
	case w.Sampled:
		w.Missing = "only a sample of the writes was seen"
	}
	return w
}

// Results are those of all requirements, in their order.
func (w *Watch) Results(whole Whole) []Result {
	out := []Result{}
	for _, of := range w.policies {
		for i := range of.needs {
			out = append(out, of.needs[i].result(w, whole))
		}
	}
	return out
}

// StateOf is the worst of some results: broken, then unproven.
func StateOf(all []Result) State {
	state := Kept
	for i := range all {
		switch {
		case all[i].State == Broken:
			return Broken
		case all[i].State == Unproven:
			state = Unproven
		}
	}
	return state
}

// result is what came of a requirement.
func (c *counted) result(w *Watch, whole Whole) Result {
	res := Result{
		Policy: c.of.Text, Where: c.of.Where, Meant: c.of.meant.text, Requirement: c.text, State: Kept,
		Writes: c.of.writes, Unknown: c.unknown, Offending: c.offended, Offences: c.offences,
	}
	if res.Offences == nil {
		res.Offences = []Offence{}
	}
	held := c.holds(whole)
	why := ""
	switch {
	case w.seen == 0:
		res.State, why = Unproven, "no write was seen at all"
	case c.of.writes == 0 && !(c.what == writes && c.only == nil) && (c.what != rate || held != no):
		res.State, why = Unproven, "none of the writes that were seen is meant"
	case held == no && whole.Sampled && !c.forGood(whole):
		res.State, why = Unproven, whole.Missing
	case held == no:
		res.State = Broken
	case c.n == 0 && c.unknown > 0:
		res.State, why = Unproven, "it is not known of any of the writes"
	case held == maybe && c.what == rate:
		res.State, why = Unproven, "it is not known how long it took"
	case held == maybe:
		res.State, why = Unproven, fmt.Sprintf("it is not known of %s", export.Plural(c.unknown, "write"))
	case whole.Missing != "":
		res.State, why = Unproven, whole.Missing
	case c.of.unsure > 0:
		res.State, why = Unproven, fmt.Sprintf("of %s it is not known whether they are meant", export.Plural(c.of.unsure, "more write"))
	}
	if why != "" {
		res.Why = &why
	}
	c.value(&res, whole)
	return res
}

// truth is a condition of which not all may be known.
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

func truthOf(least, most bool) truth {
	switch {
	case least:
		return yes
	case most:
		return maybe
	}
	return no
}

// holds says whether the value is as required, whatever is not known.
func (c *counted) holds(whole Whole) truth {
	under, upTo := c.compare(whole)
	switch c.op {
	case "<":
		return under
	case "<=":
		return upTo
	case ">":
		return yes - upTo
	case ">=":
		return yes - under
	case "=":
		return min(upTo, yes-under)
	}
	return yes - min(upTo, yes-under)
}

// forGood reports whether what is broken by some writes is broken by all: there are too many
// already, or one took too long.
func (c *counted) forGood(whole Whole) bool {
	if c.share || c.what == quantile || c.what == mean {
		return false
	}
	_, upTo := c.compare(whole)
	return c.op == "<" || c.op == "<=" || c.op == "=" && upTo == no
}

// compare says whether the value is below the limit, and whether it is at most the limit.
func (c *counted) compare(whole Whole) (under, upTo truth) {
	limit := uint64(c.limit)
	switch {
	case c.what == rate:
		if whole.Elapsed <= 0 {
			return maybe, maybe
		}
		order := compareProducts(c.n, uint64(time.Second), limit, uint64(whole.Elapsed))
		return truthOf(order < 0, order < 0), truthOf(order <= 0, order <= 0)
	case c.what == writes:
		all, unit := uint64(1), uint64(1)
		if c.share {
			all, unit = c.n+c.unknown, million
		}
		least, most := compareProducts(c.yes, unit, limit, all), compareProducts(c.yes+c.unknown, unit, limit, all)
		return truthOf(most < 0, least < 0), truthOf(most <= 0, least <= 0)
	case c.what == mean:
		order := compareProducts(c.sum, 1, limit, c.n)
		some := c.unknown > 0 // nobody knows how long they took
		return truthOf(order < 0 && !some, order < 0 || some), truthOf(order <= 0 && !some, order <= 0 || some)
	}
	rank := c.rank()
	return truthOf(c.below >= rank, c.below+c.unknown >= rank),
		truthOf(c.below+c.equal >= rank, c.below+c.equal+c.unknown >= rank)
}

// rank is the number of the write whose time is the quantile, by time, from 1.
func (c *counted) rank() uint64 {
	all := c.n + c.unknown
	if c.what == longest {
		return all
	}
	high, low := bits.Mul64(all, c.part)
	rank, rest := bits.Div64(high, low, million)
	if rest > 0 {
		rank++
	}
	return max(rank, 1)
}

// compareProducts compares a*b with c*d.
func compareProducts(a, b, c, d uint64) int {
	high1, low1 := bits.Mul64(a, b)
	high2, low2 := bits.Mul64(c, d)
	switch {
	case high1 < high2 || high1 == high2 && low1 < low2:
		return -1
	case high1 == high2 && low1 == low2:
		return 0
	}
	return 1
}

// value says what came out, without the writes of which it is not known.
func (c *counted) value(res *Result, whole Whole) {
	number := func(v float64) { res.Number = &v }
	switch {
	case c.what == rate && whole.Elapsed > 0:
		perSecond := float64(c.n) / whole.Elapsed.Seconds()
		number(perSecond)
		res.Value = fmt.Sprintf("%s/s", export.Amount(perSecond))
	case c.what == rate:
	case c.what == writes && c.share && c.n > 0:
		number(float64(c.yes) / float64(c.n))
		res.Value = fmt.Sprintf("%s, %d of %s", percent(c.yes, c.n), c.yes, export.Plural(c.n, "write"))
	case c.what == writes && (c.n > 0 || c.only == nil):
		number(float64(c.yes))
		res.Value = export.Plural(c.yes, "write")
		if c.only != nil {
			res.Value = fmt.Sprintf("%d of %s", c.yes, export.Plural(c.n, "write"))
		}
	case c.n == 0:
	case c.what == mean:
		number(float64(c.sum) / float64(c.n))
		res.Value = export.Duration(c.sum / c.n)
	case c.what == longest:
		number(float64(c.times.Max()))
		res.Value = export.Duration(c.times.Max())
	default:
		ns, exact := c.bound()
		number(float64(ns))
		res.AtMost = !exact
		if res.Value = export.Duration(ns); !exact {
			res.Value = "about " + res.Value
		}
	}
}

// bound is an upper bound of the quantile of the times that are known, not beyond the limit
// where the quantile is not.
func (c *counted) bound() (ns uint64, exact bool) {
	q := float64(c.part) / million
	ns = c.times.Quantile(q)
	rank := max(uint64(math.Ceil(q*float64(c.n))), 1)
	switch limit := uint64(c.limit); {
	case c.below >= rank && limit > 0:
		ns = min(ns, limit-1)
	case c.below+c.equal >= rank:
		return limit, true
	default:
		ns = max(ns, limit+1)
	}
	return ns, ns == 0
}

// percent is a share in three digits, and never 0 % or 100 % of what is not.
func percent(part, all uint64) string {
	p := 100 * float64(part) / float64(all)
	text := fmt.Sprintf("%.3g %%", p)
	switch {
	case part > 0 && p < 0.001:
		text = "less than 0.001 %"
	case part < all && p > 99.95:
		text = "more than 99.9 %"
	}
	return text
}

// WriteText writes results: those that are broken first, each with the first writes that break
// it.
func WriteText(w io.Writer, all []Result) error {
	var b strings.Builder
	counts := map[State]int{}
	for i := range all {
		counts[all[i].State]++
	}
	fmt.Fprintf(&b, "expected: %d broken, %d unproven, %d kept\n", counts[Broken], counts[Unproven], counts[Kept])
	for _, state := range []State{Broken, Unproven, Kept} {
		for i := range all {
			if all[i].State == state {
				b.WriteString(all[i].Line() + "\n")
				all[i].appendOffences(&b)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Line is the result in a line.
func (r *Result) Line() string {
	state := string(r.State)
	if r.State != Kept {
		state = strings.ToUpper(state)
	}
	text := fmt.Sprintf("%-9s %s", state+":", export.SafeText(r.Requirement))
	if r.Value != "" {
		text += " is " + r.Value
	}
	if r.Why != nil {
		text += "; " + *r.Why
	}
	about := slices.DeleteFunc([]string{r.Meant, r.Where}, func(s string) bool { return s == "" })
	if len(about) > 0 {
		text += " (" + export.SafeText(strings.Join(about, ", ")) + ")"
	}
	return text
}

// appendOffences adds a line for each of the first writes that a broken requirement does not want.
func (r *Result) appendOffences(b *strings.Builder) {
	if r.State != Broken || r.Offending == 0 {
		return
	}
	for i := range r.Offences {
		o := &r.Offences[i]
		b.WriteString("          write ")
		if o.Seq != nil {
			fmt.Fprintf(b, "%d, ", *o.Seq)
		}
		file := cmp.Or(o.Path, fmt.Sprintf("inode %d on %s", o.Ino, o.Dev))
		fmt.Fprintf(b, "%d+%d to %s by %s: %s\n", o.Pos, o.Len, export.Safe(file), export.Safe(o.Comm), o.what())
	}
	fmt.Fprintf(b, "          (%d of %d; explain --trace FILE --seq NUMBER tells more)\n", len(r.Offences), r.Offending)
}

// what says how the write went.
func (o *Offence) what() string {
	var parts []string
	if o.Measured != nil {
		parts = append(parts, export.Duration(*o.Measured))
	}
	if o.Lock != nil && *o.Lock != export.NoLock.String() {
		parts = append(parts, *o.Lock)
	}
	if o.Reason != "" {
		parts = append(parts, export.Safe(o.Reason))
	}
	if o.Ret != nil && *o.Ret < 0 {
		parts = append(parts, export.Result(*o.Ret))
	}
	return strings.Join(parts, ", ")
}
