package cost

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/clock"
)

// Tracer is a program that traces the direct writes of a process, and writes a line
// for each of them or says at its end how many there were.
type Tracer struct {
	Name string
	// Args is the command line, where PID stands for the process to be traced.
	Args []string
	// Count reads what the tracer has written so far. It must take a part of a
	// line at the end for absent.
	Count func(r io.Reader) (*Counts, error)
	// Lost reads from what it said on stderr how many writes it lost, if it says so there.
	Lost  func(said string) uint64
	Ours  bool
	Stats bool // --stats makes it list its programs
	// LeavesOut is set when its filter leaves every write out. Then it is ready when it
	// says that it is attached.
	LeavesOut bool
	// LossStatus is the exit status that tells of losses, besides 0.
	LossStatus int
}

// Counts is what a tracer has captured.
type Counts struct {
	Attached uint64 // ns of CLOCK_MONOTONIC, 0: not yet, or it does not say
	First    uint64 // begin of the first write or its record, ns of CLOCK_MONOTONIC; 0: none yet
	Writes   map[uint64]int
	Lost     uint64 // what the tracer itself says to have lost
	Programs []Program
}

// TracerError is what went wrong with a tracer.
type TracerError struct {
	Tracer *Tracer
	Err    error
	Said   string // by the tracer itself, on stderr
}

func (e *TracerError) Error() string {
	text := fmt.Sprintf("trace with %s: %v", e.Tracer.Name, e.Err)
	if e.Said != "" {
		text += ": " + e.Said
	}
	return text
}

// Unwrap is the cause.
func (e *TracerError) Unwrap() error { return e.Err }

func (t *Tracer) wrong(err error, said []byte) error {
	return &TracerError{Tracer: t, Err: err, Said: string(bytes.TrimSpace(said))}
}

// process is a tracer at work.
type process struct {
	tracer  *Tracer
	cmd     *exec.Cmd
	ended   chan error // its end
	out     string
	errors  bytes.Buffer
	began   uint64
	started time.Duration // from its start until it was ready
}

// DefaultStart is how long a tracer may take to see its first write.
const DefaultStart = 2 * time.Minute

// start starts the tracer with its output in dir, and writes with canary until it has seen one.
func (t *Tracer) start(ctx context.Context, dir string, within time.Duration, canary func() error) (p *process, err error) {
	p = &process{tracer: t, out: filepath.Join(dir, "out."+t.Name)}
	out, err := os.Create(p.out)
	if err != nil {
		return nil, fmt.Errorf("make file for %s: %w", t.Name, err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	var args []string
	for _, a := range t.Args[1:] {
		if a == "PID" {
			a = strconv.Itoa(os.Getpid())
		}
		args = append(args, a)
	}
	p.cmd = exec.Command(t.Args[0], args...)
	p.cmd.Stdout, p.cmd.Stderr = out, &p.errors
	p.cmd.Env = append(os.Environ(), "BPFTRACE_MAX_STRLEN=64")
	p.began = clock.Monotonic()
	if err := p.cmd.Start(); err != nil {
		return nil, t.wrong(err, nil)
	}
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
	if err := p.awaitFirst(ctx, cmp.Or(within, DefaultStart), canary); err != nil {
		if !errors.Is(err, errEnded) {
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		return nil, t.wrong(err, p.errors.Bytes())
	}
	return p, nil
}

var errEnded = errors.New("it has ended")

// awaitFirst writes until the tracer has put a write out, or is attached if it leaves
// writes out.
func (p *process) awaitFirst(ctx context.Context, within time.Duration, canary func() error) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(within)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-p.ended:
			return fmt.Errorf("%w: %v", errEnded, err)
		case <-tick.C:
		}
		if err := canary(); err != nil {
			return err
		}
		c, err := p.counts()
		if err != nil {
			return err
		}
		ready := c.First
		if p.tracer.LeavesOut {
			ready = c.Attached
		}
		if ready > 0 {
			p.started = time.Duration(ready - p.began)
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("it has seen no write within %v", within)
		}
	}
}

// counts reads the output so far.
func (p *process) counts() (*Counts, error) {
	f, err := os.Open(p.out)
	if err != nil {
		return nil, fmt.Errorf("read output of %s: %w", p.tracer.Name, err)
	}
	defer f.Close()
	return p.tracer.Count(f)
}

// stop ends the tracer and returns what it has captured.
func (p *process) stop() (*Counts, error) {
	if err := p.cmd.Process.Signal(unix.SIGINT); err != nil {
		return nil, fmt.Errorf("stop %s: %w", p.tracer.Name, err)
	}
	err := <-p.ended
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == p.tracer.LossStatus {
		err = nil
	}
	if err != nil {
		return nil, p.tracer.wrong(err, p.errors.Bytes())
	}
	c, err := p.counts()
	if err != nil {
		return nil, err
	}
	if p.tracer.Lost != nil {
		// Of what it says here and there the total is the larger.
		c.Lost = max(c.Lost, p.tracer.Lost(p.errors.String()))
	}
	return c, os.Remove(p.out)
}
