package whatif

import (
	"cmp"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

// Cell counts writes that are alike in what both kernels do with them.
type Cell struct {
	Reason string `json:"reason"` // on the kernel that was traced
	Now    Lock   `json:"now"`
	Then   Lock   `json:"then"`
	Why    string `json:"why"` // of the other variant, or what is missing
	Writes uint64 `json:"writes"`
	Bytes  int64  `json:"bytes"` // asked for
	WaitNs uint64 `json:"wait_ns"`
}

type cellKey struct {
	reason string
	now    Lock
	then   Lock
	why    string
}

// Decisions is what another variant does with all writes of a trace.
type Decisions struct {
	Writes  uint64            `json:"writes"`
	Changed uint64            `json:"changed"` // those that go down otherwise
	Cells   []Cell            `json:"table"`
	Facts   map[string]uint64 `json:"facts"`   // writes by the origin of the facts
	Missing map[string]uint64 `json:"missing"` // undecided writes by what is missing
}

// tables counts decisions. The number of cells is bounded by the texts that there are.
type tables struct {
	cells   map[cellKey]*Cell
	last    *Cell // the next write is most often like the last
	lastKey cellKey
	from    [numOrigins]uint64
	missing map[string]uint64
	writes  uint64
	changed uint64
}

func (t *tables) add(o *observe.Observation, reason string, now Lock, out *Outcome) {
	k := cellKey{reason, now, out.Lock, string(out.Reason)}
	if out.Lock == Undecided {
		k.why = out.Missing
		if t.missing == nil {
			t.missing = map[string]uint64{}
		}
		t.missing[out.Missing]++
	} else {
		t.from[out.From]++
	}
	if t.writes++; out.Lock != Undecided && now != Undecided && out.Lock != now {
		t.changed++
	}
	if t.last == nil || t.lastKey != k {
		t.last, t.lastKey = t.cell(k), k
	}
	t.last.Writes++
	t.last.Bytes += o.Len0
	t.last.WaitNs += o.WaitNs
}

func (t *tables) cell(k cellKey) *Cell {
	if t.cells == nil {
		t.cells = map[cellKey]*Cell{}
	}
	c := t.cells[k]
	if c == nil {
		c = &Cell{Reason: k.reason, Now: k.now, Then: k.then, Why: k.why}
		t.cells[k] = c
	}
	return c
}

// decisions sums up, the largest cells first.
func (t *tables) decisions() Decisions {
	d := Decisions{Writes: t.writes, Changed: t.changed, Facts: map[string]uint64{}, Missing: t.missing}
	for _, c := range t.cells {
		d.Cells = append(d.Cells, *c)
	}
	slices.SortFunc(d.Cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(b.Writes, a.Writes), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Then, b.Then))
	})
	for i, n := range t.from {
		if n > 0 {
			d.Facts[Origin(i).String()] = n
		}
	}
	return d
}

// count is the number of writes with these locks.
func (d *Decisions) count(now, then Lock) (n uint64) {
	for i := range d.Cells {
		if c := &d.Cells[i]; c.Now == now && c.Then == then {
			n += c.Writes
		}
	}
	return n
}
