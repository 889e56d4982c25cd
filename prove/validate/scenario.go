package validate

import (
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Scenario is one file with its layout and the writes to it.
type Scenario struct {
	Name   string
	Theme  string // name of the text file, without its ending
	Line   int
	Covers []string // what of docs/kernel.md: headings, and rows of their tables
	// Requires are the conditions under which it can be carried out.
	Requires []Requirement
	Steps    []Step
}

// Writes counts the judged writes.
func (s *Scenario) Writes() int {
	n := 0
	for _, st := range s.Steps {
		if st.Write != nil {
			n++
		}
	}
	return n
}

// Requirement is a condition on the file system: block size equal to one of
// Values, or a sector size of at most Values[0], both in bytes; for the other
// keys Values[0] is 1 for yes and 0 for no.
type Requirement struct {
	Key    string // "blocksize", "sector", or a name of Traits
	Values []int64
}

// Step is a line that does something: exactly one of Setup and Write is set.
type Step struct {
	Line  int
	Text  string
	Setup *Setup
	Write *Write
}

// Setup prepares the file.
type Setup struct {
	Op     string
	Off    int64 // bytes; the size for truncate
	Len    int64 // bytes
	Mode   uint32
	On     bool // keep-size, or the state of a switch
	Layout []Run
}

// Run is a number of blocks of one state.
type Run struct {
	State  workload.BlockState
	Blocks int64
}

// Write is one judged write.
type Write struct {
	Engine workload.EngineName
	Pos    int64
	Segs   []int // lengths, bytes
	Buf    int   // address beyond a block boundary, bytes
	Flags  int   // RWF_*
	// Limit is RLIMIT_FSIZE during the write, in bytes; -1: as it is.
	Limit int64
	// Fresh is the position of a blocking write of one block right before this
	// one, so that the timestamps are current; -1: none.
	Fresh int64
	// Held is the position of a buffered write of one block that holds i_rwsem
	// exclusive during this one; -1: none.
	Held int64
	// Expect holds for each variant the fields that are written down for it.
	Expect map[string]Fields
}

// Len is the number of bytes asked for.
func (w *Write) Len() int {
	n := 0
	for _, s := range w.Segs {
		n += s
	}
	return n
}

// Fields are expected values by field name; each value is a list of
// alternatives, any of which is right.
type Fields map[string][]string
