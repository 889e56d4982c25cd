package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"
)

// terminal is a terminal as the program sees one: a pty, and behind it a screen that does
// what the bytes say. What it does not know is noted, and fails the test.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	before unix.Termios

	mu      sync.Mutex
	changed chan struct{} // closed and made anew when something came
	screen  screen
	closed  bool
	rest    []byte
}

// patience is how long a test waits for what has to come.
const patience = 30 * time.Second

// startOnPty starts a command as the leader of a session whose terminal is a new pty.
func startOnPty(t *testing.T, cols, rows int, args ...string) *terminal {
	t.Helper()
	master, slave := openPty(t)
	term := &terminal{t: t, master: master, changed: make(chan struct{})}
	term.resize(cols, rows)
	term.before = term.termios()
	term.cmd = exec.Command(args[0], args[1:]...)
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = slave, slave, slave
	term.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=", "NO_COLOR=", "LANG=C.UTF-8")
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		term.read()
	}()
	t.Cleanup(func() {
		if term.cmd.ProcessState == nil {
			// The session's other processes get SIGHUP when the terminal goes away.
			_ = term.cmd.Process.Kill()
			_ = term.cmd.Wait()
		}
		slave.Close()
		master.Close()
		<-read
	})
	return term
}

func openPty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pty: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	// Fd has made it blocking; reads that end when it is closed need it as it was.
	if err := unix.SetNonblock(int(master.Fd()), true); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("/dev/pts/%d", n)
	if slave, err = os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Skipf("no pty: %v", err)
	}
	return master, slave
}

// control calls f with the descriptor, and leaves it as it is.
func (term *terminal) control(f func(fd int) error) {
	term.t.Helper()
	raw, err := term.master.SyscallConn()
	if err != nil {
		term.t.Fatal(err)
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil || inner != nil {
		term.t.Fatal(err, inner)
	}
}

// resize makes the terminal another size, which sends SIGWINCH.
func (term *terminal) resize(cols, rows int) {
	term.t.Helper()
	term.mu.Lock()
	term.screen.resize(cols, rows)
	term.mu.Unlock()
	term.control(func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(cols)})
	})
}

func (term *terminal) termios() (t unix.Termios) {
	term.t.Helper()
	term.control(func(fd int) error {
		got, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			t = *got
		}
		return err
	})
	return t
}

// foreground is the process group that the terminal's keys go to.
func (term *terminal) foreground() (group int) {
	term.t.Helper()
	term.control(func(fd int) (err error) {
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	return group
}

// read shows what comes until the terminal is closed.
func (term *terminal) read() {
	buf := make([]byte, 32<<10)
	for {
		n, err := term.master.Read(buf)
		term.mu.Lock()
		term.rest = append(term.rest, buf[:n]...)
		term.show()
		term.closed = err != nil
		close(term.changed)
		term.changed = make(chan struct{})
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// show does what the bytes say that came, as far as they are whole.
func (term *terminal) show() {
	p := ansi.NewParser()
	for {
		whole := wholeRunes(term.rest)
		if len(whole) == 0 {
			return
		}
		seq, width, n, state := ansi.DecodeSequence(whole, ansi.NormalState, p)
		if state != ansi.NormalState {
			return // it goes on
		}
		term.screen.take(string(seq), width, ansi.Cmd(p.Command()), p.Params())
		term.rest = term.rest[n:]
	}
}

// keys types something.
func (term *terminal) keys(text string) {
	term.t.Helper()
	if _, err := term.master.WriteString(text); err != nil {
		term.t.Fatal(err)
	}
}

// until waits until the screen is as wanted.
func (term *terminal) until(what string, wanted func(s *screen) bool) {
	term.t.Helper()
	term.untilIn(what, patience, wanted)
}

// untilIn is until with another patience.
func (term *terminal) untilIn(what string, most time.Duration, wanted func(s *screen) bool) {
	term.t.Helper()
	timeout := time.After(most)
	for {
		term.mu.Lock()
		ok, changed, text := wanted(&term.screen), term.changed, term.screen.String()
		unknown, closed := slices.Clone(term.screen.unknown), term.closed
		term.mu.Unlock()
		if len(unknown) > 0 {
			term.t.Fatalf("waiting until %s: the terminal does not know %q", what, unknown)
		}
		if ok {
			return
		}
		if closed {
			term.t.Fatalf("the terminal was closed before %s:\n%s", what, text)
		}
		select {
		case <-changed:
		case <-timeout:
			term.t.Fatalf("%s: not in %s:\n%s", what, most, text)
		}
	}
}

// now is the screen as text.
func (term *terminal) now() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// exited waits until the command has ended, and returns its exit status.
func (term *terminal) exited() int {
	term.t.Helper()
	done := make(chan struct{})
	go func() {
		_ = term.cmd.Wait() // the status tells
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		term.t.Fatalf("it has not ended in %s:\n%s", patience, term.now())
	}
	return term.cmd.ProcessState.ExitCode()
}

// isAsBefore reports whether a program that was on the screen has left it as it was.
func (s *screen) isAsBefore() bool { return !s.alt && len(s.modes) == 0 && s.pushed == 0 }

// checkRestored fails when the terminal is in another state than before.
func (term *terminal) checkRestored() {
	term.t.Helper()
	term.until("the screen is restored", (*screen).isAsBefore)
	if now := term.termios(); now != term.before {
		term.t.Errorf("the terminal's settings are %+v, and were %+v", now, term.before)
	}
}

// shows reports whether text stands on the screen.
func (s *screen) shows(text string) bool { return strings.Contains(s.String(), text) }
