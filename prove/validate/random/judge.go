package random

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// shrunkName is the file of a case that is run again.
const shrunkName = "again"

// runCase makes all writes of a case, then takes what was seen, and asks the
// oracles. Counts go to rep.
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
		err = errors.Join(err, f.close())
		if !keep || err != nil {
			err = errors.Join(err, r.dir.Remove(name))
		}
	}()
	if err := r.Tracer.Watch(f.id); err != nil {
		return nil, fmt.Errorf("watch inode %d: %w", f.id.Ino, err)
	}
	defer r.Tracer.Forget(f.id)
	var writes []*made
	for i := range c.Steps {
		if c.Steps[i].Op != Write {
			if err := f.apply(i); err != nil {
				return nil, err
			}
			continue
		}
		m, err := f.write(i, rep)
		if err != nil {
			return nil, err
		}
		writes = append(writes, m)
	}
	rep.Cases++
	rep.Writes += len(writes)
	groups, why, err := r.gather(ctx, f, writes)
	if err != nil {
		return nil, err
	}
	j := &judgement{r: r, c: c, rep: rep}
	if why != "" {
		j.fail(Failure{Oracle: Observed, What: []string{why}, signature: "not seen", late: true})
	}
	for i, seen := range groups {
		j.observed(writes[i], seen)
		j.known(writes[i], seen)
	}
	return j.fails, j.bytes(f, keep)
}

// gather takes what was seen of the writes and sorts it by write: several where
// io_uring tried first without waiting.
func (r *runner) gather(ctx context.Context, f *file, writes []*made) ([][]validate.Seen, string, error) {
	late, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	var seen []validate.Seen
	for want := len(writes); ; want = len(seen) + 1 {
		if want > len(seen) {
			more, err := r.Tracer.Collect(late, f.id, want-len(seen))
			seen = append(seen, more...)
			switch {
			case err != nil && (ctx.Err() != nil || late.Err() == nil):
				return nil, "", fmt.Errorf("collect what was seen: %w", err)
			case err != nil || len(more) == 0:
				groups, _ := group(f.c, writes, seen)
				return groups, fmt.Sprintf("not seen in time: %d of %d writes", len(groups), len(writes)), nil
			}
		}
		slices.SortStableFunc(seen, func(a, b validate.Seen) int {
			return int(int64(a.Observation.Time) - int64(b.Observation.Time))
		})
		groups, rest := group(f.c, writes, seen)
		switch {
		case rest > 0:
			return groups, fmt.Sprintf("more was seen than was made: %d", rest), nil
		case len(groups) == len(writes):
			return groups, "", nil
		}
	}
}

// group gives each write what was seen of it, up to the first write of which not
// all was seen, and how much was left.
func group(c *Case, writes []*made, seen []validate.Seen) (groups [][]validate.Seen, rest int) {
	for _, m := range writes {
		n := 0
		for n < len(seen) && again(&c.Steps[m.step], seen[n].Observation) {
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

// again reports whether io_uring tries the write again, in another task.
func again(s *Step, o *observe.Observation) bool {
	return s.Engine.Retries() && s.Flags&unix.RWF_NOWAIT == 0 && o.Flags&model.IocbNowait != 0 &&
		(o.Ret == model.EAGAIN || o.Ret == model.EOPNOTSUPP)
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
	f.signature = f.Oracle.String() + ": " + f.signature
	f.Count = 1
	j.fails = append(j.fails, f)
}

func (j *judgement) failWrite(oracle Oracle, m *made, what []string, signature string, s *validate.Seen) {
	f := Failure{
		Oracle: oracle, Step: m.step + 1, Write: j.c.Steps[m.step].String(), What: what,
		Layout: layoutText(m.before.extents, int64(j.r.dir.FS.BlockSize)), After: m.after, ISize: m.before.size, signature: signature,
	}
	if s != nil {
		f.Seen = *s
	}
	j.fail(f)
}

// observed counts the verdicts of the model that was fed with what was observed.
func (j *judgement) observed(m *made, seen []validate.Seen) {
	for i := range seen {
		s := &seen[i]
		j.rep.Attempts++
		if s.Observation.Incomplete == "" {
			j.rep.Ends[seenEnd(s.Observation)]++
		}
		t := &j.rep.Observed
		v := s.Verdict
		switch {
		case v == nil || v.Kind == judge.Undecided:
			t.Undecided++
		case v.Kind == judge.Agree:
			t.Right++
		default:
			t.Wrong++
			what := append([]string{"the model's verdict is " + v.Kind.String()}, v.Why...)
			j.failWrite(Observed, m, what, v.Kind.String()+" "+strings.Join(v.Rules, " "), s)
		}
	}
}

// bytes reads the file back and compares.
func (j *judgement) bytes(f *file, keep bool) error {
	if j.r.Fault != nil {
		j.r.Fault(j.c.Number, f.shadow.Bytes)
	}
	if err := f.readBack(); err != nil {
		return err
	}
	if keep {
		j.rep.kept.Keep(workload.FileName(fileName(j.c.Number)), f.shadow.Bytes)
	}
	if len(f.bytesBad) == 0 {
		j.rep.Bytes.Right++
		return nil
	}
	j.rep.Bytes.Wrong++
	j.fail(Failure{Oracle: Bytes, What: f.bytesBad, ISize: f.shadow.Size(), signature: "bytes"})
	return nil
}
