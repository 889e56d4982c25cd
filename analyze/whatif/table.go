package whatif

// Kind is what writes have in common that are alike in what both kernels do with them.
type Kind struct {
	Reason string `json:"reason"` // on the kernel that was traced
	Now    Lock   `json:"now"`
	Then   Lock   `json:"then"`
	Why    string `json:"why"` // of the other variant, or what is missing
}

// Cell counts writes of a kind.
type Cell struct {
	Kind
	Writes uint64 `json:"writes"`
	Bytes  int64  `json:"bytes"` // asked for
	WaitNs uint64 `json:"wait_ns"`
}

// Decisions is what another variant does with all writes of a trace.
type Decisions struct {
	Writes  uint64            `json:"writes"`  // requests: a write that NOWAIT refused is one with the write after it
	Retried uint64            `json:"retried"` // those of them that were refused before
	Changed uint64            `json:"changed"` // those that go down otherwise
	Cells   []Cell            `json:"table"`
	Facts   map[string]uint64 `json:"facts"`   // writes by the origin of the facts
	Missing map[string]uint64 `json:"missing"` // undecided writes by what is missing
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

func (d *Decisions) undecided() (n uint64) {
	for _, c := range d.Missing {
		n += c
	}
	return n
}
