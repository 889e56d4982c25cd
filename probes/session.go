package probes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
	"github.com/ext4dio/ext4dio-trace/record"
)

const (
	// pollEvery bounds how long a record may lie in the ring unseen, and how
	// often Next returns record.ErrIdle.
	pollEvery = 50 * time.Millisecond
	// stopWithin bounds how long Stop waits for writes that are still inside.
	stopWithin = 3 * time.Second

	cpuStateSize = 256 // struct cpu_state of bpf/state.h
)

// Session is a set of attached probes and their ring buffer: the live
// record.Source. Next, Losses and Stop belong to one goroutine.
type Session struct {
	facts    *Facts
	coll     *ebpf.Collection
	state    state
	attached []attached
	reader   *ringbuf.Reader
	rec      ringbuf.Record
	cpus     *ebpf.Memory
	ncpus    int
	slots    func() (*ebpf.Memory, error) // mapped once it is looked into: half of the kernels count all of it as ours
	nslots   int
	ops      *ebpf.Memory // nil: no holders are looked at
	queue    *ebpf.Memory
	waited   bool      // the reader's deadline was set after the last record
	deadline time.Time // end of draining; zero while tracing
	began    uint64
	skips    skips
	swept    bool     // everything is read but late
	late     [][]byte // completions found at the end, and writes that have not returned
	left     [][]byte // the latter, and who else has the lock for which they wait
	nleft    uint64   // how many there are, those that could not be read included
}

var _ record.Source = (*Session)(nil)

func newSession(coll *ebpf.Collection, f *Facts, st state) (*Session, error) {
	s := &Session{facts: f, coll: coll, state: st, ncpus: f.CPUs}
	var err error
	if s.cpus, err = coll.Maps["cpus"].Memory(); err != nil {
		return nil, fmt.Errorf("map counters: %w", err)
	}
	s.slots = sync.OnceValues(coll.Maps["slots"].Memory)
	s.nslots = int(coll.Maps["slots"].MaxEntries())
	if s.ops, err = coll.Maps["ops"].Memory(); err != nil {
		return nil, fmt.Errorf("map holders: %w", err)
	}
	if s.queue, err = coll.Maps["queue"].Memory(); err != nil {
		return nil, fmt.Errorf("map queue: %w", err)
	}
	if s.reader, err = ringbuf.NewReader(coll.Maps["ring"]); err != nil {
		return nil, fmt.Errorf("open ring buffer: %w", err)
	}
	s.reader.SetDeadline(time.Now().Add(pollEvery))
	return s, nil
}

// AddProcess lets the writes of a process, as this one sees it, and of its later
// children through, when Options.Tree is set.
func (s *Session) AddProcess(pid uint32) error {
	if err := s.coll.Maps["tree"].Put(pid, uint8(1)); err != nil {
		return fmt.Errorf("add process %d to the filter: %w", pid, err)
	}
	return nil
}

// Began is when the first write could be seen, ns of CLOCK_MONOTONIC.
func (s *Session) Began() uint64 { return s.began }

// Next returns the next raw record, record.ErrIdle when none came within 50 ms,
// or record.ErrEnd after Stop once everything was handed out.
func (s *Session) Next() ([]byte, error) {
	if s.swept {
		if len(s.late) == 0 {
			return nil, record.ErrEnd
		}
		raw := s.late[0]
		s.late = s.late[1:]
		return raw, nil
	}
	for {
		over := s.drained()
		err := s.reader.ReadInto(&s.rec)
		late := errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case err == nil:
			s.waited = false
			return s.rec.RawSample, nil
		case late && !s.waited:
			// Asking for the time at each record would cost more than reading it.
			s.waited = true
			s.reader.SetDeadline(time.Now().Add(pollEvery))
			continue
		case late && over:
			// Everything was over before the ring stayed empty for one wait.
			s.swept = true
			if err := s.sweep(); err != nil {
				return nil, err
			}
			return nil, record.ErrIdle
		case late:
			s.waited = false
			return nil, record.ErrIdle
		case errors.Is(err, ringbuf.ErrClosed):
			return nil, record.ErrEnd
		}
		return nil, fmt.Errorf("read ring buffer: %w", err)
	}
}

// drained reports whether tracing was stopped and nothing more can come: no
// write inside, no asynchronous one without its completion, or too long waited.
func (s *Session) drained() bool {
	if s.deadline.IsZero() {
		return false
	}
	if time.Now().After(s.deadline) {
		return true
	}
	inside, err := s.inside()
	if err != nil || inside > 0 {
		return false
	}
	shared, err := s.shared()
	return err == nil && shared.AIOs <= shared.Marked
}

// sharedCounters is struct shared of bpf/state.h.
type sharedCounters struct {
	Displaced, NoWait uint64
	_                 [6]uint64
	AIOs, Marked      uint64
	_                 [6]uint64
}

func (s *Session) shared() (c sharedCounters, err error) {
	if err := s.coll.Variables["shared"].Get(&c); err != nil {
		return c, fmt.Errorf("read counters: %w", err)
	}
	return c, nil
}

// sweep collects the completions whose program was skipped and which no later
// write with the same iocb has brought up, and the writes that have not returned.
func (s *Session) sweep() error {
	var iocb uint64
	l := &s.state.aio
	raw := make([]byte, l.size)
	it := s.coll.Maps["aios"].Iterate()
	for it.Next(&iocb, &raw) {
		if l.number(raw, "marked") != 0 {
			c := record.Complete{ID: l.number(raw, "id"), T: l.number(raw, "t"), Ret: int64(l.number(raw, "ret"))}
			s.late = append(s.late, c.Append(nil))
		}
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("read completions left: %w", err)
	}
	var err error
	if s.nleft, err = s.inside(); err != nil || s.nleft == 0 {
		return err
	}
	s.left, err = s.Inside(false)
	s.late = append(s.late, s.left...)
	writes := uint64(0)
	for _, raw := range s.left {
		if kind, _, _ := record.KindOf(raw); kind == record.KindWrite {
			writes++
		}
	}
	s.nleft = max(s.nleft, writes)
	return err
}

// Left is the records of the writes that had not returned when tracing ended, and of who
// else had the lock for which they wait, which Next has handed out, too.
func (s *Session) Left() [][]byte { return s.left }

// Stop takes up no new write. Those inside are seen to their end for up to
// three seconds; Next hands them out and then returns record.ErrEnd.
func (s *Session) Stop() error {
	if !s.deadline.IsZero() {
		return nil
	}
	s.deadline = time.Now().Add(stopWithin)
	if err := s.coll.Variables["stopping"].Set(true); err != nil {
		return fmt.Errorf("stop tracing: %w", err)
	}
	return nil
}

// Close detaches everything.
func (s *Session) Close() error {
	var errs []error
	// The entry of a write was attached last and goes first.
	for i := len(s.attached) - 1; i >= 0; i-- {
		errs = append(errs, s.attached[i].link.Close())
	}
	s.attached = nil
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	s.coll.Close()
	return errors.Join(errs...)
}

// counters sums the per-CPU counters through their mapping.
func (s *Session) counters() (record.Counters, error) {
	var raw [record.NumCounters * 8]byte
	var sum [record.NumCounters]uint64
	for cpu := range s.ncpus {
		if _, err := s.cpus.ReadAt(raw[:], int64(cpu)*cpuStateSize); err != nil {
			return record.Counters{}, fmt.Errorf("read counters: %w", err)
		}
		for i := range sum {
			sum[i] += binary.NativeEndian.Uint64(raw[i*8:])
		}
	}
	return record.CountersFrom(sum), nil
}

// Losses tells what is known to be missing, from our own counters and the
// kernel's: misses of each link and skipped runs of each program.
func (s *Session) Losses() (record.Losses, error) {
	c, err := s.counters()
	l := record.Losses{Counters: c}
	if err != nil {
		return l, err
	}
	switch {
	case s.swept: // as the records say
		l.Unfinished = s.nleft
	case !s.deadline.IsZero():
		if l.Unfinished, err = s.inside(); err != nil {
			return l, err
		}
	}
	l.MissedEntry, l.MissedReturn, l.MissedInner, err = s.misses()
	return l, err
}

// misses asks the kernel how often it skipped programs at the entry of writes, at their
// return, and inside them.
func (s *Session) misses() (entry, ret, inner uint64, err error) {
	begin := clock.Monotonic()
	for i := range s.attached {
		a := &s.attached[i]
		n, err := a.missed()
		if err != nil {
			return entry, ret, inner, fmt.Errorf("read misses of %s at %s: %w", a.name, a.at[0].Func, err)
		}
		switch pp := a.at[0]; { // those of which one program is at several are alike
		case n == 0 || a.spare():
		case pp.Name == "write" && atReturn(a.name):
			ret += n
		case pp.Name == "write":
			entry += n
		default:
			inner += n
		}
	}
	s.skips.add(begin, clock.Monotonic(), inner)
	return entry, ret, inner, nil
}

// spare tells whether a run of this program that the kernel skips loses nothing of a write:
// what holders want both ends of, a write passes at the entry.
func (a *attached) spare() bool {
	t := a.at[0].want
	return t.is(spare) || t.is(held) && atReturn(a.name)
}

// missed is how often the kernel skipped this program or found no room to
// remember its return.
func (a *attached) missed() (uint64, error) {
	st, err := a.prog.Stats()
	if err != nil {
		return 0, err
	}
	n := st.RecursionMisses
	info, err := a.link.Info()
	if errors.Is(err, ebpf.ErrNotSupported) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	if m := info.KprobeMulti(); m != nil {
		n += m.Missed
	}
	if p := info.PerfEvent(); p != nil {
		if k := p.Kprobe(); k != nil {
			n += k.Missed
		}
	}
	return n, nil
}

// ProbeStats is what the kernel says about one attached program.
type ProbeStats struct {
	Funcs   []string // at which it is
	Program string
	How     string
	Missed  uint64 // runs that were skipped, returns without room
	Runs    uint64 // with CountRuns
	Ns      uint64 // spent in all runs, with CountRuns
	Insns   int    // BPF instructions after translation
	Machine uint32 // bytes of machine code
}

// CountRuns makes the kernel count and time the runs of every BPF program, which costs
// each run something, until the result is closed.
func CountRuns() (io.Closer, error) {
	c, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		return nil, fmt.Errorf("count runs of BPF programs: %w", err)
	}
	return c, nil
}

// Stats lists the attached programs.
func (s *Session) Stats() ([]ProbeStats, error) {
	var out []ProbeStats
	for i := range s.attached {
		a := &s.attached[i]
		missed, err := a.missed()
		if err != nil {
			return nil, err
		}
		runs, err := a.prog.Stats()
		if err != nil {
			return nil, fmt.Errorf("read statistics of %s: %w", a.name, err)
		}
		p := ProbeStats{
			Funcs: a.funcs(), Program: a.name, How: a.at[0].How,
			Missed: missed, Runs: runs.RunCount, Ns: uint64(runs.Runtime),
		}
		// Sizes are only for reading; a kernel that hides them gives none.
		if info, err := a.prog.Info(); err == nil {
			if n, err := info.TranslatedSize(); err == nil {
				p.Insns = n / 8
			}
			p.Machine, _ = info.JitedSize()
		}
		out = append(out, p)
	}
	return out, nil
}
