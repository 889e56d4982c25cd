package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// heldArg makes this program wait for a byte on descriptor 3 and then become the
// command that follows, so that the command's pid is known before it runs.
const heldArg = "__held"

// exitNotRun is what a shell gives for a command that cannot be run.
const exitNotRun = 126

// isHeld reports whether this process is to become another command.
func isHeld(args []string) bool { return len(args) > 3 && args[1] == heldArg }

// runHeld waits for the go-ahead and becomes args[2] with the arguments from
// args[3] on. It returns only when that is impossible.
func runHeld(args []string, stderr io.Writer) int {
	gate := os.NewFile(3, "gate")
	if n, _ := gate.Read(make([]byte, 1)); n != 1 {
		return exitNotRun // the tracer has given up
	}
	gate.Close()
	err := syscall.Exec(args[2], args[3:], os.Environ())
	note(stderr, "cannot run %s: %v", args[3], err)
	return exitNotRun
}

// killAfter is how long a command may take to end after SIGTERM.
const killAfter = 3 * time.Second

// command is the traced command.
type command struct {
	cmd   *exec.Cmd
	gate  *os.File // writing end; a byte lets the command run
	ended chan struct{}
	err   error // of Wait, after ended

	once sync.Once
}

// findCommand looks args[0] up as a shell does. This program finds itself
// wherever it is installed.
func findCommand(args []string) (string, error) {
	path, err := exec.LookPath(args[0])
	if err != nil && args[0] == progName {
		return "/proc/self/exe", nil
	}
	if err != nil {
		const hint = progName + " live -- /usr/bin/fio job.fio"
		if errors.Is(err, exec.ErrNotFound) {
			return "", usagef(hint, "command not found: %s", args[0])
		}
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return "", usagef(hint, "cannot run %s: %v", args[0], err)
	}
	return path, nil
}

// holdCommand starts a process that waits to become the command.
func holdCommand(path string, args []string, stdin io.Reader, output io.Writer) (*command, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("hold %s: %w", args[0], err)
	}
	defer r.Close()
	c := &command{cmd: exec.Command("/proc/self/exe", append([]string{heldArg, path}, args...)...), gate: w, ended: make(chan struct{})}
	c.cmd.Args[0] = progName
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

// pid is the command's process.
func (c *command) pid() uint32 { return uint32(c.cmd.Process.Pid) }

// release lets the command run.
func (c *command) release() error {
	_, err := c.gate.Write([]byte{1})
	return errors.Join(err, c.gate.Close())
}

// stop ends the command, if it has not ended by itself, and waits for that.
func (c *command) stop() {
	c.once.Do(func() {
		c.gate.Close()
		select {
		case <-c.ended:
			return
		default:
		}
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-c.ended:
		case <-time.After(killAfter):
			_ = c.cmd.Process.Kill()
			<-c.ended
		}
	})
}

// outcome says how the command ended.
func (c *command) outcome() string {
	<-c.ended
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

// failed reports whether the command, which has ended, did not end well.
func (c *command) failed() bool {
	<-c.ended
	return c.cmd.ProcessState == nil || !c.cmd.ProcessState.Success()
}
