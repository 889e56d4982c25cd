package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

const (
	ptyTrace   = "../../testdata/traces/linux-7.3.e4d"
	ptyRelease = "7.3.4"
	ptyWrites  = "264" // in all
)

// drawn reports whether the live view stands on the screen: the kernel in its header, and
// what can be done in its last line.
func drawn(s *screen) bool {
	last := s.lastLine()
	return s.alt && strings.Contains(s.line(0)+s.line(1), ptyRelease) && (strings.Contains(last, "?") || strings.Contains(last, "quit"))
}

// complete is drawn, when all of the trace was seen.
func complete(s *screen) bool { return drawn(s) && s.shows(ptyWrites) }

// program is the program itself, as TestMain has put it into the path.
func program(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(progName)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The view draws itself on a terminal, at any size that it gets, takes keys, and leaves
// the terminal as it was; then the summary stands there.
func TestPtyView(t *testing.T) {
	term := startOnPty(t, 80, 24, program(t), "view", ptyTrace)
	term.until("the view is drawn", complete)
	if now := term.termios(); now.Lflag&(unix.ICANON|unix.ECHO) != 0 {
		t.Error("the terminal gives keys line by line, or shows them")
	}
	first := term.now()
	term.keys("?")
	term.until("the help is drawn", func(s *screen) bool { return s.String() != first && s.shows("quit") })
	term.keys("\x1b")
	term.until("the view is drawn again", func(s *screen) bool { return drawn(s) && s.String() == first })

	for _, size := range [][2]int{{40, 10}, {140, 45}, {20, 4}, {80, 24}} {
		term.resize(size[0], size[1])
		if size[0] < 40 {
			continue // smaller than it has to be usable; it must not end
		}
		term.until("the view is drawn in another size", drawn)
	}
	term.until("the view is drawn as before", func(s *screen) bool { return s.String() == first })
	term.keys("jjkG\t\x1b[A\x1b[B\x1b[5~\x1b[6~")
	term.keys("q")
	if status := term.exited(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, term.now())
	}
	term.checkRestored()
	term.until("the summary is there", func(s *screen) bool { return s.shows("verdict:") && s.shows("264 agree") })
}

// Whatever ends it, the terminal is as it was.
func TestPtyEnds(t *testing.T) {
	for name, end := range map[string]func(*terminal){
		"ctrl+c":  func(term *terminal) { term.keys("\x03") },
		"SIGTERM": func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":  func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			term := startOnPty(t, 80, 24, program(t), "view", "--speed", "0.01", ptyTrace)
			term.until("the view is drawn", drawn)
			end(term)
			if status := term.exited(); status != 0 {
				t.Errorf("exit status %d:\n%s", status, term.now())
			}
			term.checkRestored()
		})
	}
}

// ctrl+z, and SIGTSTP from anywhere, stop the program and give the terminal back to the
// shell; fg draws the view again, as often as one likes.
func TestPtySuspend(t *testing.T) {
	const script = `"$1" view "$2"; echo "=stopped 1="; read line; fg; echo "=stopped 2="; read line; fg; echo "=ended $?="`
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is needed: it has job control in a script")
	}
	term := startOnPty(t, 80, 24, shell, "--norc", "-mc", script, "shell", program(t), ptyTrace)
	term.until("the view is drawn", complete)
	view := term.now()
	for i, stop := range []func(){
		func() { term.keys("\x1a") },
		func() {
			if err := unix.Kill(-term.foreground(), unix.SIGTSTP); err != nil {
				t.Fatal(err)
			}
		},
	} {
		stop()
		said := fmt.Sprintf("=stopped %d=", i+1)
		term.until("the shell goes on", func(s *screen) bool { return s.shows(said) })
		term.checkRestored()
		term.keys("\n")
		term.until("the view is drawn again", func(s *screen) bool { return drawn(s) && s.String() == view })
		if now := term.termios(); now.Lflag&(unix.ICANON|unix.ECHO) != 0 {
			t.Error("the terminal gives keys line by line, or shows them")
		}
	}
	term.keys("q")
	if status := term.exited(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, term.now())
	}
	term.checkRestored()
	term.until("it has ended well", func(s *screen) bool { return s.shows("=ended 0=") })
}

// badlyEnded is what must not be said when there is nobody to read the lines.
var badlyEnded = regexp.MustCompile("error|panic|UNACCOUNTED|MISSING|LOST")

// A reader of the lines that goes away ends the program, which is no failure.
func TestClosedPipeOfView(t *testing.T) {
	path := longTrace(t, 20_000)
	for _, how := range []string{"--json", "--plain"} {
		t.Run(how, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			stderr := filepath.Join(t.TempDir(), "stderr")
			errFile, err := os.Create(stderr)
			if err != nil {
				t.Fatal(err)
			}
			defer errFile.Close()
			cmd := exec.Command(program(t), "view", how, path)
			cmd.Stdout, cmd.Stderr = w, errFile
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n'); err != nil || line == "" {
				t.Errorf("no line: %q, %v", line, err)
			}
			r.Close()
			kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
			err = cmd.Wait()
			said, _ := os.ReadFile(stderr)
			var ended *exec.ExitError
			// A write that was queued then has no end, which is said and makes it 4.
			queued := errors.As(err, &ended) && ended.ExitCode() == exit.Unproven && strings.Contains(string(said), "WITHOUT COMPLETION")
			if err != nil && !queued || !strings.Contains(string(said), "verdict:") || badlyEnded.Match(said) {
				t.Errorf("%v, and it said:\n%s", err, said)
			}
		})
	}
}

// What --coverage counted follows the summary when the screen has closed, and is short on a
// terminal.
func TestPtyCoverage(t *testing.T) {
	term := startOnPty(t, 120, 45, program(t), "view", "--coverage", "../../testdata/traces/wrong-tail-unchecked.e4d")
	term.until("all is drawn", func(s *screen) bool { return drawn(s) && s.shows("agree 111") })
	term.keys("q")
	if status := term.exited(); status != 1 {
		t.Errorf("exit status %d:\n%s", status, term.now())
	}
	term.checkRestored()
	term.until("the coverage is there", func(s *screen) bool {
		return s.shows("coverage: 72 % of linux-7.3: 44 of 61 ways, by 111 writes that agree; 24 disagree, and take none") && s.shows("and 5 more")
	})
	if n := strings.Count(term.now(), "missing: "); n != fewWays {
		t.Errorf("%d missing ways are shown, want %d:\n%s", n, fewWays, term.now())
	}
}
