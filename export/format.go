package export

import (
	"errors"
	"io"
)

// Format is a form in which the writes of a trace leave. Each is a package of its own and
// a line in the list of the command.
type Format struct {
	Name string
	Help string // what it is, in one line or two
	To   Destination
	Into string              // of ToFolder: what is written there
	New  func(Target) Writer // nil: the records themselves are written, not rows
}

// Destination is what a format needs to write to.
type Destination uint8

// Destinations.
const (
	ToAny    Destination = iota // lines, which may be looked at on a terminal
	ToFile                      // bytes that are not for a terminal
	ToFolder                    // files in a folder
)

// ErrNothing is returned by the Close of a format that repeats writes, when there was none to repeat: what it
// would have written does nothing, and looks like a success.
var ErrNothing = errors.New("there is no write to repeat")

// Target is where an export goes, and what is to be told of the trace.
type Target struct {
	Out    io.Writer                                 // nil for ToFolder
	Create func(name string) (io.WriteCloser, error) // makes a file in the folder of ToFolder, which has none of that name
	Taken  func(name string) bool                    // whether the folder has it; nil: nothing
	About  []string                                  // where the trace comes from, in lines
	Pairs  map[string]string                         // the same for programs
	Clocks Clocks
	Start  StartLine
}

// Clocks is one moment on three clocks, ns. The times of the rows are those of
// Monotonic; the zero value means that the others are not known.
type Clocks struct{ Monotonic, Boot, Real uint64 }
