package bench

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Test is one of the two tests: what a stripe of the file looks like, and the one
// write that is made to each stripe. All numbers are bytes.
type Test struct {
	Name    string
	Heading string // of its table
	Title   string // as in the cover letter
	Stripe  int64
	Off     int64 // of the write in its stripe
	Len     int64
	quarter int64  // length of each letter of states
	states  string // W(ritten) or U(nwritten), from the start of a stripe
}

// Tests lists the tests of the cover letter.
func Tests() []Test {
	return []Test{
		{
			Name: "test1", Heading: "Test 1", Title: "aligned 8K DIO writes spanning written+unwritten extent boundaries",
			Stripe: 8 << 10, Off: 0, Len: 8 << 10, quarter: 4 << 10, states: "WU",
		},
		{
			Name: "test2", Heading: "Test 2", Title: "unaligned DIO writes (14336 bytes at +512 within each 16K stripe)",
			Stripe: 16 << 10, Off: 512, Len: 14336, quarter: 4 << 10, states: "WUUW",
		},
	}
}

// FindTest finds a test by name. The error wraps workload.ErrUsage.
func FindTest(name string) (Test, error) {
	for _, t := range Tests() {
		if t.Name == name {
			return t, nil
		}
	}
	return Test{}, fmt.Errorf("no test is called %q: %w", name, workload.ErrUsage)
}

// fits looks for a reason why the test would not show on a file system what it is
// meant to show. The error wraps workload.ErrUnfit.
func (t Test) fits(fs workload.FSInfo) error {
	switch {
	case fs.NoDirect:
		return fmt.Errorf("run %s: %w: direct writes go through the page cache here", t.Name, workload.ErrUnfit)
	case int64(fs.BlockSize) > t.quarter:
		return fmt.Errorf("run %s: %w: blocks of %d bytes, and the layout needs %d or less", t.Name, workload.ErrUnfit, fs.BlockSize, t.quarter)
	case t.Off%int64(fs.Sector) != 0 || t.Len%int64(fs.Sector) != 0:
		return fmt.Errorf("run %s: %w: direct writes have to be multiples of %d bytes here", t.Name, workload.ErrUnfit, fs.Sector)
	}
	return nil
}

// state is how the byte at off of any stripe is laid out.
func (t Test) state(off int64) workload.BlockState {
	return workload.BlockState(t.states[off%t.Stripe/t.quarter])
}
