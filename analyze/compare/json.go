package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/ext4dio/ext4dio-trace/export"
)

func safe(s string) string { return export.Safe(s) }

func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

type factJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type sideJSON struct {
	Name    string     `json:"name"`
	Variant string     `json:"variant"`
	Writes  uint64     `json:"writes"`
	Ns      uint64     `json:"ns"` // from the first entry to the last return
	Facts   []factJSON `json:"facts"`
	Missing []string   `json:"missing"`
	Left    []string   `json:"not_compared"`
}

type classJSON struct {
	File      *string `json:"file"` // null of all classes together
	FileB     *string `json:"file_b,omitempty"`
	Caller    string  `json:"caller"`
	Nowait    bool    `json:"nowait"`
	Sync      bool    `json:"sync"`
	Extending bool    `json:"extending"`
	Unaligned bool    `json:"unaligned"`
	State     string  `json:"state"`
	Shortest  int64   `json:"shortest"`
	Longest   int64   `json:"longest"`
}

type changeJSON struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Unit        string   `json:"unit"`
	A           *float64 `json:"a"`
	B           *float64 `json:"b"`
	Change      *float64 `json:"change"`
	Low         *float64 `json:"low"`
	High        *float64 `json:"high"`
	P           *float64 `json:"p"`
	Detectable  *float64 `json:"detectable"`
	Significant *bool    `json:"significant"` // null where it was not judged
	Why         string   `json:"why,omitempty"`
}

type pairJSON struct {
	Class   classJSON    `json:"class"`
	WritesA uint64       `json:"writes_a"`
	WritesB uint64       `json:"writes_b"`
	Changes []changeJSON `json:"changes"`
}

type singleJSON struct {
	Class  classJSON `json:"class"`
	Writes uint64    `json:"writes"`
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	out := struct {
		Sentence string       `json:"sentence"`
		Changed  bool         `json:"changed"`
		Proven   bool         `json:"proven"`
		Level    float64      `json:"level"`
		Least    float64      `json:"least"`
		Seed     uint64       `json:"seed"`
		Tests    int          `json:"tests"`
		A        sideJSON     `json:"a"`
		B        sideJSON     `json:"b"`
		Classes  []pairJSON   `json:"classes"`
		OnlyA    []singleJSON `json:"only_a"`
		OnlyB    []singleJSON `json:"only_b"`
	}{
		r.Sentence(), r.Changed(), r.Proven(), r.Level, r.Least, r.Seed, r.Tests, r.A.json(), r.B.json(),
		[]pairJSON{}, singlesJSON(r.OnlyA), singlesJSON(r.OnlyB),
	}
	for i := range r.Pairs {
		out.Classes = append(out.Classes, r.Pairs[i].json())
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// Changed reports whether anything changed significantly.
func (r *Report) Changed() bool {
	for i := range r.Pairs {
		if len(r.Pairs[i].changed()) > 0 {
			return true
		}
	}
	return false
}

func (s *Side) json() sideJSON {
	j := sideJSON{s.Name, s.Summary.Variant, s.chosen, 0, []factJSON{}, s.missing(), s.left()}
	if s.all.last > s.all.start {
		j.Ns = s.all.last - s.all.start
	}
	for _, f := range s.Facts {
		j.Facts = append(j.Facts, factJSON(f))
	}
	if j.Missing == nil {
		j.Missing = []string{}
	}
	if j.Left == nil {
		j.Left = []string{}
	}
	return j
}

func (c *Class) json(shortest, longest int64) classJSON {
	return classJSON{&c.File, nil, c.Caller.String(), c.Nowait, c.Sync, c.Extending, c.Unaligned, c.State.String(), shortest, longest}
}

func (p *Pair) json() pairJSON {
	out := pairJSON{p.Class.json(p.Shortest, p.Longest), p.WritesA, p.WritesB, []changeJSON{}}
	if p.all {
		out.Class = classJSON{State: "any", Shortest: p.Shortest, Longest: p.Longest}
	}
	if p.FileB != "" {
		out.Class.FileB = &p.FileB
	}
	for i := range p.Changes {
		out.Changes = append(out.Changes, p.Changes[i].json())
	}
	return out
}

func singlesJSON(list []Single) []singleJSON {
	out := []singleJSON{}
	for i := range list {
		out = append(out, singleJSON{list[i].json(list[i].Shortest, list[i].Longest), list[i].Writes})
	}
	return out
}

func (c *Change) json() changeJSON {
	j := changeJSON{Name: c.Name, Kind: c.Kind.String(), Unit: c.Unit, A: number(c.A), B: number(c.B), Why: c.Why}
	if c.Judged {
		j.Change, j.Low, j.High, j.P, j.Detectable = number(c.Diff), number(c.Low), number(c.High), number(c.P), number(c.Detectable)
		j.Significant = &c.Significant
	}
	return j
}

// number is null where it is not known, and has six digits: no more of it are the same on all
// machines.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // it is a number
	return &v
}
