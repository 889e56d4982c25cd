package random

import (
	"context"
	"errors"
	"fmt"

	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// shrunkName is the file of a case that is run again.
const shrunkName = "again"

// runCase makes all writes of a case, then takes what was seen, and asks the
// oracles. Counts go to rep. After an error the writes that were made before it are
// judged all the same, but not the bytes of the file.
func (r *runner) runCase(ctx context.Context, c *Case, rep *Report, keep bool) (fails []Failure, err error) {
	name := shrunkName
	if rep == r.rep {
		name = fileName(c.Number)
	}
	f, err := r.openFile(c, name)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if !keep || err != nil {
			err = errors.Join(err, r.dir.Remove(name))
		}
	}()
	r.Tracer.Watch(f.ID)
	writes, err := f.steps(rep)
	rep.Cases++
	rep.Writes += len(writes)
	groups, why, unseen := r.gather(ctx, f, writes, err != nil)
	err = errors.Join(err, unseen)
	j := &judgement{r: r, c: c, rep: rep}
	if why != "" {
		j.fail(Failure{Oracle: trial.Observed, What: []string{why}, signature: "not seen", late: true})
	}
	for i, seen := range groups {
		j.observed(writes[i], seen)
		j.known(writes[i], seen)
	}
	if err != nil {
		return j.fails, err
	}
	return j.fails, j.bytes(f, keep)
}

// steps carries out the steps of the case and returns the direct writes, with an error, too.
func (f *file) steps(rep *Report) (writes []*made, err error) {
	for i := range f.c.Steps {
		if f.c.Steps[i].Op != Write {
			if err := f.apply(i); err != nil {
				return writes, err
			}
			continue
		}
		m, err := f.write(i, rep)
		if err != nil {
			return writes, err
		}
		writes = append(writes, m)
	}
	return writes, nil
}

// gather takes what was seen of the writes and sorts it by write: several where
// io_uring tried first without waiting. After an error there is more to be seen than writes
// that were made in whole.
func (r *runner) gather(ctx context.Context, f *file, writes []*made, broken bool) ([][]trial.Seen, string, error) {
	var seen []trial.Seen
	for want := len(writes); ; want = 1 {
		more, err := trial.Collect(ctx, r.Tracer, want, r.Timeout)
		seen = append(seen, more...)
		trial.SortByTime(seen)
		groups, rest := group(f.c, writes, seen)
		switch {
		case err != nil && !errors.Is(err, trial.ErrLate):
			return groups, "", err
		case broken && (err != nil || len(groups) == len(writes)):
			return groups, "", nil
		case err != nil:
			return groups, fmt.Sprintf("not seen in time: %d of %d writes", len(groups), len(writes)), nil
		case rest > 0:
			return groups, fmt.Sprintf("more was seen than was made: %d", rest), nil
		case len(groups) == len(writes):
			return groups, "", nil
		}
	}
}

// group gives each write what was seen of it, up to the first write of which not
// all was seen, and how much was left.
func group(c *Case, writes []*made, seen []trial.Seen) (groups [][]trial.Seen, rest int) {
	for _, m := range writes {
		s, n := &c.Steps[m.step], 0
		for n < len(seen) && trial.Retried(s.Engine, s.Flags, seen[n].Observation) {
			n++
		}
		if n >= len(seen) {
			return groups, 0
		}
		groups = append(groups, seen[:n+1])
		seen = seen[n+1:]
	}
	return groups, len(seen)
}

// judgement is what the oracles say about a case.
type judgement struct {
	r     *runner
	c     *Case
	rep   *Report
	fails []Failure
}

// fail adds a failure, with the case.
func (j *judgement) fail(f Failure) {
	f.Seed, f.Case = j.c.Seed, j.c.Number
	f.Commands = j.c.Commands()
	for i := range j.c.Steps {
		f.Steps = append(f.Steps, j.c.Steps[i].String())
	}
	f.signature = string(f.Oracle) + ": " + f.signature
	f.Count = 1
	j.fails = append(j.fails, f)
}

func (j *judgement) failWrite(oracle trial.Oracle, m *made, what []string, signature string, s *trial.Seen) {
	f := Failure{
		Oracle: oracle, Step: m.step + 1, Write: j.c.Steps[m.step].String(), What: what,
		Layout: trial.Layout(m.before.extents, int64(j.r.dir.FS.BlockSize), false).String(), After: m.after, ISize: m.before.size, signature: signature,
	}
	if s != nil {
		f.Seen = *s
	}
	j.fail(f)
}

// observed counts the verdicts of the model that was fed with what was observed.
func (j *judgement) observed(m *made, seen []trial.Seen) {
	for i := range seen {
		s := &seen[i]
		j.rep.Attempts++
		if s.Observation.Incomplete == "" {
			j.rep.Ends[seenEnd(s.Observation)]++
		}
		if what, signature := j.rep.Observed.Count(s.Verdict); what != nil {
			j.failWrite(trial.Observed, m, what, signature, s)
		}
	}
}

// bytes reads the file back and compares.
func (j *judgement) bytes(f *file, keep bool) error {
	if j.r.Fault != nil {
		j.r.Fault(j.c.Number, f.Shadow.Bytes)
	}
	why, err := f.ReadBack()
	if err != nil {
		return err
	}
	f.bytesBad = append(f.bytesBad, why...)
	if keep {
		j.rep.kept.Keep(workload.FileName(fileName(j.c.Number)), j.c.Number, f.Shadow.Bytes)
	}
	if len(f.bytesBad) == 0 {
		j.rep.Bytes.Right++
		return nil
	}
	j.rep.Bytes.Wrong++
	j.fail(Failure{Oracle: trial.Bytes, What: f.bytesBad, ISize: f.Shadow.Size(), signature: "bytes"})
	return nil
}
