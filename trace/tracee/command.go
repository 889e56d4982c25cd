// Package tracee runs the command that is traced: its process is there, and can be named to
// the probes, before the command in it runs.
package tracee

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// heldArg makes this program wait for a byte on descriptor 3 and then become the
// command that follows, so that the command's pid is known before it runs.
const heldArg = "__held"

// ExitNotRun is what a shell gives for a command that cannot be run.
const ExitNotRun = 126

// IsHeld reports whether this process, with these arguments, is to become another command.
func IsHeld(args []string) bool { return len(args) > 3 && args[1] == heldArg }

// Become waits for the go-ahead and becomes args[2] with the arguments from args[3] on. It
// returns only when that is impossible: with nil when the tracer has given up.
func Become(args []string) error {
	gate := os.NewFile(3, "gate")
	if n, _ := gate.Read(make([]byte, 1)); n != 1 {
		return nil
	}
	gate.Close()
	return fmt.Errorf("cannot run %s: %w", args[3], syscall.Exec(args[2], args[3:], os.Environ()))
}

// killAfter is how long a command may take to end after SIGTERM, and again after SIGKILL.
const killAfter = 3 * time.Second

// Command is the traced command. A nil one stands for none: it can be released and stopped,
// and does not end.
type Command struct {
	name  string
	cmd   *exec.Cmd
	gate  *os.File // writing end; a byte lets the command run
	ended chan struct{}
	err   error         // of Wait, after ended
	stuck chan struct{} // closed when it was killed and does not end

	once sync.Once
}

// Hold starts a process that waits to become the command args, whose program is at path. It
// has the environment of this process, and gives what it says to output.
func Hold(path string, args []string, stdin io.Reader, output io.Writer) (*Command, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("hold %s: %w", args[0], err)
	}
	defer r.Close()
	c := &Command{name: args[0], cmd: exec.Command("/proc/self/exe", append([]string{heldArg, path}, args...)...), gate: w,
		ended: make(chan struct{}), stuck: make(chan struct{})}
	c.cmd.Args[0] = "ext4dio-trace"
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = stdin, output, output
	c.cmd.ExtraFiles = []*os.File{r}
	// A descendant that keeps the output open must not keep us.
	c.cmd.WaitDelay = 500 * time.Millisecond
	if err := c.cmd.Start(); err != nil {
		w.Close()
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// Name is what the command was called by.
func (c *Command) Name() string { return c.name }

// Pid is the command's process.
func (c *Command) Pid() uint32 { return uint32(c.cmd.Process.Pid) }

// Release lets the command run.
func (c *Command) Release() error {
	if c == nil {
		return nil
	}
	_, err := c.gate.Write([]byte{1})
	return errors.Join(err, c.gate.Close())
}

// Ended is closed when the command has ended.
func (c *Command) Ended() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.ended
}

// Stop ends the command, if it has not ended by itself, and waits for that. It gives one up
// that sleeps in the kernel where no signal wakes it: a write to a device that hangs.
func (c *Command) Stop() {
	if c == nil {
		return
	}
	c.once.Do(func() {
		c.gate.Close()
		if c.endsWithin(0) {
			return
		}
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		if c.endsWithin(killAfter) {
			return
		}
		_ = c.cmd.Process.Kill()
		if !c.endsWithin(killAfter) {
			close(c.stuck)
		}
	})
}

func (c *Command) endsWithin(d time.Duration) bool {
	select {
	case <-c.ended:
		return true
	case <-time.After(d):
	}
	select {
	case <-c.ended: // both may be true
		return true
	default:
		return false
	}
}

// Outcome says how the command ended, once it has or Stop has given it up.
func (c *Command) Outcome() string {
	if !c.wait() {
		return "was killed and has not ended: it sleeps in the kernel, and no signal wakes it"
	}
	state := c.cmd.ProcessState
	if state == nil {
		return fmt.Sprintf("could not be waited for: %v", c.err)
	}
	ws, ok := state.Sys().(syscall.WaitStatus)
	if ok && ws.Signaled() {
		return "was ended by signal " + ws.Signal().String()
	}
	return fmt.Sprintf("ended with exit status %d", state.ExitCode())
}

// Failed reports whether the command did not end well.
func (c *Command) Failed() bool {
	return !c.wait() || c.cmd.ProcessState == nil || !c.cmd.ProcessState.Success()
}

// wait waits for the end, and tells whether it came.
func (c *Command) wait() bool {
	select {
	case <-c.ended:
		return true
	case <-c.stuck:
		return false
	}
}

// maxOutput is how much of a command's output is kept, bytes.
const maxOutput = 16 << 10

// Tail keeps the last part of what is written to it.
type Tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write implements io.Writer; it never fails.
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*maxOutput {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-maxOutput:]...)
	}
	return len(b), nil
}

// Last returns the last line that says something, and is no hint on what to do.
func (t *Tail) Last() string {
	lines := strings.Split(string(t.Bytes()), "\n")
	for _, line := range slices.Backward(lines) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "hint:") {
			return line
		}
	}
	return ""
}

// Bytes returns what is kept, in whole lines.
func (t *Tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buf
	if len(b) > maxOutput {
		b = b[len(b)-maxOutput:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		}
	}
	return b
}
