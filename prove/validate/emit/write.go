package emit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/prove/workload/fstests"
)

// Index is the file that says which test is for which points.
const Index = "index.txt"

// Tests is where the tests for fstests lie, as they do there.
const Tests = "tests/ext4"

// Write writes the tests of all plans into a folder, which must be empty or not be there:
// NNN.sh, the same in fstests' form, and the index.
//
// When that fails, nothing of it is left.
func Write(dir string, plans []*Plan) error {
	_, err := os.Stat(dir)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err := write(dir, plans); err != nil {
		return errors.Join(err, remove(dir, isNew))
	}
	return nil
}

// remove takes away what was written into a folder, which was empty, and the folder where it is new.
func remove(dir string, isNew bool) error {
	if isNew {
		return os.RemoveAll(dir)
	}
	scripts, err := filepath.Glob(filepath.Join(dir, "9??.sh"))
	for _, path := range append(scripts, filepath.Join(dir, Index), filepath.Join(dir, filepath.Dir(Tests))) {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

func write(dir string, plans []*Plan) error {
	n := fstests.First
	index := "Tests for what recordings did not reach. NNN.sh makes the writes in a folder; " + Tests + "/NNN is the same for fstests.\n"
	if err := os.MkdirAll(filepath.Join(dir, Tests), 0o755); err != nil {
		return err
	}
	for _, p := range plans {
		for _, t := range p.Tests {
			if n > fstests.Last {
				return fmt.Errorf("more than %d tests: take recordings of fewer kernels", fstests.Last-fstests.First+1)
			}
			t.Number = n
			n++
			if err := t.write(dir, &p.Report); err != nil {
				return err
			}
		}
		index += "\n" + p.Text()
	}
	return os.WriteFile(filepath.Join(dir, Index), []byte(index), 0o644)
}

func (t *Test) write(dir string, r *coverage.Report) error {
	body, err := t.body(r.Points)
	if err != nil {
		return err
	}
	test, err := t.fstest(r, body)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
		mode fs.FileMode
	}{
		{t.number() + ".sh", t.shell(r, body), 0o755},
		{filepath.Join(Tests, test.Name()), test.Script(), 0o755},
		{filepath.Join(Tests, test.Name()+".out"), test.Golden(), 0o644},
	} {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.text, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// Text lists the tests with their points, and what none takes.
func (p *Plan) Text() string {
	var b strings.Builder
	r := &p.Report
	with := 0
	for _, t := range p.Tests {
		with += len(t.Takes)
	}
	fmt.Fprintf(&b, "%s: %d ways of %d were not taken; scripts take %d of them\n", r.Variant, r.Reachable-r.Taken, r.Reachable, with)
	for _, t := range p.Tests {
		fmt.Fprintf(&b, "\n%s  %s%s\n", t.number(), t.Scenario.Name, placeOf(&t.Scenario).text())
		for _, taken := range t.Takes {
			fmt.Fprintf(&b, "     write %d: %s%s\n", taken.Write, name(&r.Points[taken.Point]), taken.unless())
		}
	}
	if len(p.Others) > 0 {
		b.WriteString("\nNO SCRIPT OF xfs_io REACHES\n")
	}
	for _, o := range p.Others {
		fmt.Fprintf(&b, "     %s\n         %s\n", name(&r.Points[o.Point]), o.how())
	}
	return b.String()
}

// unless says on which kernels a point is not taken.
func (t *Taken) unless() string {
	if t.Unless == 0 {
		return ""
	}
	return fmt.Sprintf(" (not where patch %d came by a backport)", t.Unless)
}

// how says what takes a point that no script takes. Whether a write is queued is a matter of how fast the disk
// is, so that many are made.
func (o *Other) how() string {
	const record = "ext4dio-trace record -o FILE -- ext4dio-trace "
	switch {
	case o.Scenario == "":
		return "nor does a scenario of validate"
	case o.Async:
		return record + "workload libaio --dir DIR"
	}
	return record + "validate --dir DIR --scenarios " + o.Scenario + " --writes 0 --storms none"
}
