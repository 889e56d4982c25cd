package series

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Answer is whether a kernel holds a patch.
type Answer string

// The answers.
const (
	Present       Answer = "present"
	Absent        Answer = "absent"
	Contradictory Answer = "contradictory" // some writes say so, others the contrary
	NotTestable   Answer = "not testable here"
)

// Patch is what is known of one patch.
type Patch struct {
	Patch  int    `json:"patch"`
	Title  string `json:"title"`
	Answer Answer `json:"answer"`
	Why    string `json:"why"`
	// With and Without count the writes that only a kernel with, or without, the
	// patch makes.
	With    int `json:"with"`
	Without int `json:"without"`
}

// Explains is how a variant fares with all writes.
type Explains struct {
	Variant   model.Variant `json:"variant"`
	Agree     int           `json:"agree"`
	Disagree  int           `json:"disagree"`
	Undecided int           `json:"undecided"`
}

// Unexplained is a decision that no variant explains.
type Unexplained struct {
	What     string   `json:"what"`
	Count    int      `json:"count"` // of the writes that were kept
	Concerns []int    `json:"concerns"`
	Write    string   `json:"write"` // the first of them
	Why      []string `json:"why"`
}

// Report says which kernel this is.
type Report struct {
	Writes     int     `json:"writes"`
	Incomplete int     `json:"incomplete"`
	Patches    []Patch `json:"patches"`
	// Variant is the variant that explains the most.
	Variant model.Variant `json:"variant"`
	// Made is the variant that the answers about the patches make; it is another
	// one where no known kernel holds just these.
	Made     model.Variant `json:"made"`
	Explains []Explains    `json:"explains"`
	// Unexplained are the decisions that no variant explains, of Unexplain writes.
	Unexplained []Unexplained `json:"unexplained,omitempty"`
	Unexplain   int           `json:"unexplained_writes"`
}

// unseen says what was missing for an answer.
var unseen = [...]string{
	1: "no NOWAIT write came to blocks that had to be allocated",
	2: "no write went through ext4_buffered_write_iter, or its drain could not be probed",
	3: "no aligned write inside i_size was made under the shared lock",
	4: "no unaligned write inside i_size told",
	5: "no call of file_modified or kiocb_modified was seen",
	6: "no cache-only lookup missed: without patches 7 and 8 no direct write makes one",
	7: "no NOWAIT write looked up blocks in ext4_iomap_begin",
	8: "no NOWAIT write looked up blocks in the check phase",
}

// answer is what the signs of patch n say.
func (id *Identifier) answer(n int) Answer {
	with, without := id.evidence[n][With].n, id.evidence[n][Without].n
	if n == 6 && with+without == 0 {
		return map[Sign]Answer{Nothing: NotTestable, With: Present, Without: Absent}[id.missed]
	}
	switch {
	case with > 0 && without > 0:
		return Contradictory
	case with > 0:
		return Present
	case without > 0:
		return Absent
	case n == 8 && id.evidence[4][Without].n > 0 && id.evidence[4][With].n == 0:
		return Absent
	}
	return NotTestable
}

func (id *Identifier) patch(n int) Patch {
	with, without := id.evidence[n][With], id.evidence[n][Without]
	p := Patch{Patch: n, Title: model.PatchTitle(n), Answer: id.answer(n), With: with.n, Without: without.n}
	switch p.Answer {
	case Present:
		p.Why = fmt.Sprintf("%s as only with it%s", writes(with.n), first(with.first))
	case Absent:
		p.Why = fmt.Sprintf("%s as only without it%s", writes(without.n), first(without.first))
	case Contradictory:
		p.Why = fmt.Sprintf("%d as only with it%s; %d as only without it%s", with.n, first(with.first), without.n, first(without.first))
	case NotTestable:
		p.Why = unseen[n]
	}
	switch {
	case n == 6 && with.n+without.n == 0 && id.missed != Nothing:
		p.Why = "a slow symlink was walked, and the cache-only lookup that missed returned " +
			map[Sign]string{With: "-EAGAIN", Without: "0"}[id.missed]
	case n == 6 && p.Answer == NotTestable && id.notMissed != "":
		p.Why += "; a slow symlink does not tell: " + id.notMissed
	case n == 8 && with.n+without.n == 0 && p.Answer == Absent:
		p.Why = "it changes ext4_dio_needs_zeroing, which came with patch 4"
	}
	return p
}

func writes(n int) string {
	if n == 1 {
		return "1 write"
	}
	return fmt.Sprintf("%d writes", n)
}

func first(o *observe.Observation) string {
	if o == nil {
		return ""
	}
	return ", the first at " + writeText(o)
}

// writeText names a write: "512+14336 of inode 12, NOWAIT".
func writeText(o *observe.Observation) string {
	s := fmt.Sprintf("%d+%d of inode %d", o.Pos0, o.Len0, o.Ino)
	if o.Flags&model.IocbNowait != 0 {
		s += ", NOWAIT"
	}
	return s
}

// Report says which kernel this is.
func (id *Identifier) Report() *Report {
	r := &Report{Writes: id.writes, Incomplete: id.incomplete, Variant: id.Best(), Made: id.made(), Unexplain: id.nUnexpl}
	for n := 1; n <= model.Patches; n++ {
		r.Patches = append(r.Patches, id.patch(n))
	}
	r.Explains = slices.Clone(id.candidates)
	if !slices.ContainsFunc(r.Explains, func(e Explains) bool { return e.Variant == r.Made }) {
		r.Explains = append(r.Explains, id.under(r.Made))
	}
	slices.SortStableFunc(r.Explains, func(a, b Explains) int { return a.Disagree - b.Disagree })
	r.unexplained(id)
	return r
}

// unexplained groups the decisions that no variant explains by what differs.
func (r *Report) unexplained(id *Identifier) {
	for _, o := range id.unexplained {
		v := judge.CompareSeen(o, r.Variant, id.unprobed)
		what := v.Kind.String() + ": " + strings.Join(kinds(v), ", ")
		if i := slices.IndexFunc(r.Unexplained, func(u Unexplained) bool { return u.What == what }); i >= 0 {
			r.Unexplained[i].Count++
			continue
		}
		r.Unexplained = append(r.Unexplained, Unexplained{
			What: what, Count: 1, Concerns: Concerns(o, r.Variant, id.unprobed), Write: writeText(o), Why: v.Why(),
		})
	}
}

// kinds names what differs without numbers: broken rules and fields.
func kinds(v *judge.Verdict) []string {
	out := v.Rules.IDs()
	for _, d := range v.Diffs {
		out = append(out, d.Field.String())
	}
	return out
}

// Explained reports whether the best variant explains every decision.
func (r *Report) Explained() bool {
	return len(r.Explains) > 0 && r.explains(r.Variant).Disagree == 0
}

func (r *Report) explains(v model.Variant) Explains {
	for _, e := range r.Explains {
		if e.Variant == v {
			return e
		}
	}
	return Explains{Variant: v}
}

// WriteText writes a line for each patch, and what explains the decisions.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, p := range r.Patches {
		fmt.Fprintf(&b, "patch %d: %-17s %s\n", p.Patch, p.Answer, p.Title)
		fmt.Fprintf(&b, "         (%s)\n", p.Why)
	}
	best := r.explains(r.Variant)
	total := best.Agree + best.Disagree + best.Undecided
	switch {
	case total == 0:
		b.WriteString("no write was seen, so no variant explains anything\n")
	case best.Disagree == 0:
		fmt.Fprintf(&b, "%s explains every decision: %d agree, %d undecided\n", r.Variant, best.Agree, best.Undecided)
	default:
		fmt.Fprintf(&b, "no known variant explains every decision: %s all but %d of %d\n", r.Variant, best.Disagree, total)
		if m := r.explains(r.Made); r.Made != r.Variant {
			fmt.Fprintf(&b, "by the patches it holds it would be %s, which explains all but %d of %d\n", r.Made, m.Disagree, m.Agree+m.Disagree+m.Undecided)
		}
	}
	for _, u := range r.Unexplained {
		fmt.Fprintf(&b, "explained by none: %s%s (%s; first: %s)\n", u.What, ConcernText(u.Concerns), writes(u.Count), u.Write)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
