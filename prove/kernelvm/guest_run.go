package kernelvm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is the one command of the guest and its plumbing.
type command struct {
	g     *guest
	pid   int
	ptmx  *os.File    // nil without a terminal
	outs  [3]*os.File // reading ends of standard output (1) and error (2)
	stdin *os.File    // writing end, nil for none
	child []*os.File  // the child's side, closed after the start
	wg    sync.WaitGroup
}

// runCommand runs the command to its end and returns its exit status, or 128 +
// the number of the signal that ended it.
func (g *guest) runCommand() (int, error) {
	c := &command{g: g}
	files, err := c.plumb()
	if err != nil {
		return 0, err
	}
	dir := "/"
	if g.cfg.Out {
		dir = guestOut // what it writes to where it is comes back
	}
	attr := &syscall.ProcAttr{Dir: dir, Env: g.cfg.Env, Sys: &syscall.SysProcAttr{Setsid: true, Setctty: g.cfg.TTY}}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	c.pid, err = syscall.ForkExec(guestBinary, append([]string{guestBinary}, g.cfg.Args...), attr)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", guestBinary, err)
	}
	for _, f := range c.child {
		f.Close()
	}
	go c.feed()
	go c.obey()
	said := []*output{{kind: frameStdout, f: c.outs[1]}, {kind: frameStderr, f: c.outs[2]}}
	for _, o := range said {
		if o.f != nil {
			c.wg.Go(func() { _, o.err = io.Copy(frameWriter{g, o.kind}, o) })
		}
	}
	code, err := c.reap()
	// Whatever the command left behind would hold its output open.
	_ = unix.Kill(-1, unix.SIGKILL)
	for _, o := range said {
		o.end()
	}
	c.wg.Wait()
	for _, o := range said {
		if errors.Is(o.err, os.ErrDeadlineExceeded) {
			_, _ = io.WriteString(frameWriter{g, frameStderr}, "vm: the command has ended, and what it left behind cannot be killed: it sleeps in the kernel\n")
			break
		}
	}
	return code, err
}

// output is what the command says. What sleeps in the kernel where no signal wakes it, as for
// a disk that hangs, holds it open for ever: once the command has ended it is read for as
// long as more comes.
type output struct {
	kind frameKind
	f    *os.File // nil for none
	over atomic.Bool
	err  error // of copying it
}

// moreWithin is how long more of it may take to come.
const moreWithin = 5 * time.Second

// Read implements io.Reader.
func (o *output) Read(b []byte) (int, error) {
	if o.over.Load() {
		_ = o.f.SetReadDeadline(time.Now().Add(moreWithin))
	}
	return o.f.Read(b)
}

// end is called when the command has ended.
func (o *output) end() {
	o.over.Store(true)
	if o.f != nil {
		_ = o.f.SetReadDeadline(time.Now().Add(moreWithin))
	}
}

// plumb makes the command's three files.
func (c *command) plumb() (files [3]*os.File, err error) {
	cfg := &c.g.cfg
	if cfg.TTY {
		pts, err := c.openPTY()
		if err != nil {
			return files, err
		}
		files = [3]*os.File{pts, pts, pts}
	} else if files[0], err = c.plumbStdin(); err != nil {
		return files, err
	}
	for n := 1; n <= 2; n++ {
		if cfg.TTY && (n == 1 || !cfg.StderrTo) {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return files, fmt.Errorf("make a pipe: %w", err)
		}
		// The command writes without waiting for the host as long as it can.
		_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 1<<20)
		c.outs[n], files[n] = r, w
		c.child = append(c.child, w)
	}
	return files, nil
}

func (c *command) plumbStdin() (*os.File, error) {
	if c.g.cfg.NoStdin {
		return os.Open(os.DevNull)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	c.stdin = w
	c.child = append(c.child, r)
	return r, nil
}

// openPTY makes the terminal and returns the command's side of it.
func (c *command) openPTY() (*os.File, error) {
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	fd := int(ptmx.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("name the terminal: %w", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock the terminal: %w", err)
	}
	pts, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the terminal: %w", err)
	}
	c.ptmx, c.stdin, c.outs[1] = ptmx, ptmx, ptmx
	c.resize(c.g.cfg.Size)
	c.child = append(c.child, pts)
	return pts, nil
}

func (c *command) resize(s unix.Winsize) {
	if c.ptmx != nil && s.Col > 0 && s.Row > 0 {
		_ = unix.IoctlSetWinsize(int(c.ptmx.Fd()), unix.TIOCSWINSZ, &s)
	}
}

// feed passes the host's input on to the command.
func (c *command) feed() {
	if c.stdin == nil {
		return
	}
	in := &ringReader{ring: c.g.link.in, bell: c.g.bell}
	_, err := io.Copy(c.stdin, in)
	if err != nil {
		_ = in.Close()
	}
	if c.ptmx == nil {
		c.stdin.Close()
	}
}

// obey carries out what the host says while the command runs.
func (c *command) obey() {
	frames := &frameReader{r: &ringReader{ring: c.g.link.ctl, bell: c.g.bell}}
	for {
		kind, payload, err := frames.next()
		if err != nil {
			return
		}
		switch {
		case kind == frameSize:
			var s unix.Winsize
			if json.Unmarshal(payload, &s) == nil {
				c.resize(s)
			}
		case kind == frameSignal && len(payload) == 1:
			_ = unix.Kill(c.pid, unix.Signal(payload[0]))
		case kind == frameBroken && len(payload) == 1 && payload[0] <= 2:
			if f := c.outs[payload[0]]; f != nil {
				f.Close()
			}
		case kind == frameStop:
			c.stop()
		}
	}
}

// stop ends the command: it may clean up for a moment, then it is killed.
func (c *command) stop() {
	_ = unix.Kill(c.pid, unix.SIGTERM)
	time.AfterFunc(3*time.Second, func() { _ = unix.Kill(-1, unix.SIGKILL) })
}

// reap waits for the command, and for every orphan as init must.
func (c *command) reap() (int, error) {
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for the command: %w", err)
		case pid != c.pid:
		case ws.Signaled():
			return 128 + int(ws.Signal()), nil
		case ws.Exited():
			return ws.ExitStatus(), nil
		}
	}
}
