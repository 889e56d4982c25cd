package coverage

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// ByMark counts writes by the mark that was in force when they began. Its zero value is empty, and
// one goroutine uses it.
type ByMark struct {
	marks   []*marked
	named   map[string]*marked
	decider judge.Decider
}

// marked is one mark, and the points that its writes took.
type marked struct {
	Marked
	took map[model.Variant]set
}

// Marked is what came of the writes of one mark.
type Marked struct {
	Mark      *string    `json:"mark" doc:"name of the mark; null of the writes that have none"`
	Writes    uint64     `json:"writes" doc:"writes that began while it was in force"`
	Shared    uint64     `json:"shared" doc:"of them, with i_rwsem shared at iomap_dio_rw"`
	Exclusive uint64     `json:"exclusive" doc:"of them, with it exclusive"`
	None      uint64     `json:"none" doc:"of them, that never got to iomap_dio_rw"`
	Disagree  uint64     `json:"disagree" doc:"writes that disagree with the model"`
	Open      uint64     `json:"open" doc:"writes that are undecided, incomplete, or had not returned"`
	Taken     int        `json:"taken" doc:"points of coverage that its writes took"`
	New       []NewPoint `json:"new" doc:"those of them that those of no earlier mark took"`
}

// NewPoint is a point that a mark took first.
type NewPoint struct {
	Variant   string `json:"variant" doc:"name of the variant"`
	Function  string `json:"function" doc:"function of the kernel"`
	Condition string `json:"condition" doc:"what is tested"`
	Way       string `json:"way" doc:"what came out"`
}

// Begin tells of a mark before its writes, so that one without any is listed, too. Marks of one
// name count together.
func (b *ByMark) Begin(mark string) { b.of(mark) }

func (b *ByMark) of(mark string) *marked {
	if m := b.named[mark]; m != nil {
		return m
	}
	m := &marked{took: map[model.Variant]set{}}
	if mark != "" {
		m.Mark = &mark
	}
	if b.named == nil {
		b.named = map[string]*marked{}
	}
	b.named[mark] = m
	b.marks = append(b.marks, m)
	return m
}

// Add takes a judged write, and the mark that was in force when it began.
func (b *ByMark) Add(mark string, o *observe.Observation, v *judge.Verdict) {
	m := b.of(mark)
	m.Writes++
	switch {
	case o.Dio && o.Lock == record.LockShared:
		m.Shared++
	case o.Dio && o.Lock == record.LockExclusive:
		m.Exclusive++
	case !o.Dio && o.Incomplete == "" && !o.Inside:
		m.None++
	}
	switch {
	case v.Kind.Disagrees():
		m.Disagree++
	case v.Kind == judge.Undecided || o.Incomplete != "" || o.Inside:
		m.Open++
	default:
		took := m.took[v.Variant]
		took.join(ofWrite(o, b.decider.Decide(o, v.Variant)))
		m.took[v.Variant] = took
	}
}

// Marks are what came of each mark, in their order; writes without one stand where they were met.
func (b *ByMark) Marks() []Marked {
	out := []Marked{}
	seen := map[model.Variant]set{}
	for _, m := range b.marks {
		if m.Mark == nil && m.Writes == 0 {
			continue // an empty name ends a mark, and is none
		}
		m.Taken, m.New = 0, []NewPoint{}
		for _, v := range slices.SortedFunc(maps.Keys(m.took), func(a, b model.Variant) int { return cmp.Compare(a.String(), b.String()) }) {
			took, before := m.took[v], seen[v]
			for i, p := range points {
				if !took.has(i) {
					continue
				}
				m.Taken++
				if !before.has(i) {
					m.New = append(m.New, NewPoint{v.String(), p.fn, p.condition, p.way})
				}
			}
			before.join(took)
			seen[v] = before
		}
		out = append(out, m.Marked)
	}
	return out
}

// NoMark stands in text for the mark of writes that have none.
const NoMark = "(no mark)"

// Name is the mark in text.
func (m *Marked) Name() string {
	if m.Mark == nil {
		return NoMark
	}
	return *m.Mark
}

// longName is the longest name that the others of a table are moved for, in characters.
const longName = 24

// WriteMarks writes a line for each mark; safe makes names fit for a terminal. Columns are as wide as what stands in
// them: with names of 12 characters a line has 80. A line of a long name is longer, and no other.
func WriteMarks(w io.Writer, marks []Marked, safe func(string) string) error {
	rows := [][]string{{"MARK", "WRITES", "SHARED", "EXCLUSIVE", "NONE", "WAYS", "NEW WAYS", "DISAGREE", "OPEN"}}
	for i := range marks {
		m := &marks[i]
		row := []string{safe(m.Name())}
		for _, n := range []uint64{m.Writes, m.Shared, m.Exclusive, m.None, uint64(m.Taken), uint64(len(m.New)), m.Disagree, m.Open} {
			row = append(row, strconv.FormatUint(n, 10))
		}
		rows = append(rows, row)
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			if n := utf8.RuneCountInString(cell); i > 0 || n <= longName {
				widths[i] = max(widths[i], n)
			}
		}
	}
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(&b, " %*s", widths[i+1], cell)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
