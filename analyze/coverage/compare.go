package coverage

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Difference is what two sets of recordings took of one variant.
type Difference struct {
	Variant string  `json:"variant" doc:"name of the variant"`
	Share   float64 `json:"share" doc:"share that the recordings took"`
	Before  float64 `json:"before" doc:"share that the others took"`
	Gained  []Point `json:"gained" doc:"what these took and the others did not"`
	Lost    []Point `json:"lost" doc:"what the others took and these did not; writes and first are theirs, disputed and parted of these"`
	Parted  []Point `json:"parted" doc:"tests at which the way of writes that disagree parts from the model's, a point each"`
}

// Compare compares reports with those of others, variant by variant. Of a variant that one of
// them does not have nothing was taken.
func Compare(reports, others []Report) []Difference {
	out := []Difference{}
	for i := range reports {
		out = append(out, difference(&reports[i], reportOf(others, reports[i].Variant)))
	}
	for i := range others {
		if reportOf(reports, others[i].Variant) == nil {
			out = append(out, difference(nil, &others[i]))
		}
	}
	return out
}

func reportOf(all []Report, variant string) *Report {
	if i := slices.IndexFunc(all, func(r Report) bool { return r.Variant == variant }); i >= 0 {
		return &all[i]
	}
	return nil
}

// difference compares two reports, of which one may be nil.
func difference(now, before *Report) Difference {
	d := Difference{Gained: []Point{}, Lost: []Point{}, Parted: []Point{}}
	if now != nil {
		d.Variant, d.Share = now.Variant, now.Share
		d.Gained = append(d.Gained, only(now, before)...)
		d.Parted = now.Parted()
	}
	if before != nil {
		d.Variant, d.Before = before.Variant, before.Share
		d.Lost = append(d.Lost, only(before, now)...)
		for i := range d.Lost {
			p := &d.Lost[i]
			p.Disputed, p.Parted, p.Where = now.disagreeing(p)
		}
	}
	return d
}

// disagreeing are the counts of a point that writes which disagree have.
func (r *Report) disagreeing(p *Point) (disputed, parted, where uint64) {
	if r == nil {
		return 0, 0, 0
	}
	for i := range r.Points {
		if q := &r.Points[i]; q.Function == p.Function && q.Condition == p.Condition && q.Way == p.Way {
			return q.Disputed, q.Parted, q.Where
		}
	}
	return 0, 0, 0
}

// only are the points that a took and b did not.
func only(a, b *Report) (out []Point) {
	for i := range a.Points {
		if a.Points[i].State == Taken && (b == nil || b.Points[i].State != Taken) {
			out = append(out, a.Points[i])
		}
	}
	return out
}

// shareText is a share; each write that counts takes a way, so that none is of no write.
func shareText(share float64) string {
	if share == 0 {
		return "no write"
	}
	return fmt.Sprintf("%d%%", int(100*share))
}

// WriteDifferences writes them as text: what is lost first.
func WriteDifferences(w io.Writer, all []Difference) error {
	var b strings.Builder
	for i := range all {
		d := &all[i]
		fmt.Fprintf(&b, "%s: %s before, %s now; %d ways lost, %d gained\n", d.Variant, shareText(d.Before), shareText(d.Share), len(d.Lost), len(d.Gained))
		lost, gained := Report{Points: d.Lost}, Report{Points: d.Gained}
		listParted(&b, d.Parted)
		if slices.ContainsFunc(d.Lost, Point.Concerned) {
			lost.only(&b, Taken, "LOST TO WRITES THAT DISAGREE", Point.Concerned)
			lost.only(&b, Taken, "LOST BEHIND IT, OR NOT REACHED BY THESE WRITES", func(p Point) bool { return !p.Concerned() })
		} else {
			lost.list(&b, Taken, "LOST")
		}
		gained.list(&b, Taken, "GAINED")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
