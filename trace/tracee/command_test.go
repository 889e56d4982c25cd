package tracee

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	if IsHeld(os.Args) {
		fmt.Fprintln(os.Stderr, Become(os.Args))
		os.Exit(ExitNotRun)
	}
	os.Exit(m.Run())
}

// A held command does not run before it is released, keeps its pid, and its end
// is told.
func TestHeldCommand(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pid")
	cmd, err := Hold("/bin/sh", []string{"sh", "-c", "echo $$ > " + mark + "; exit 7"}, nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Stop()
	if _, err := os.Stat(mark); err == nil {
		t.Error("it ran before it was released")
	}
	if err := cmd.Release(); err != nil {
		t.Fatal(err)
	}
	if got := cmd.Outcome(); got != "ended with exit status 7" {
		t.Errorf("it %s", got)
	}
	if got, err := os.ReadFile(mark); err != nil || string(got) != fmt.Sprintln(cmd.Pid()) {
		t.Errorf("it ran as %q, but %d was traced: %v", got, cmd.Pid(), err)
	}
}

// A held command that is given up never runs, and one that runs is ended.
func TestStopCommand(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ran")
	held, err := Hold("/bin/sh", []string{"sh", "-c", "touch " + mark}, nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	held.Stop()
	if _, err := os.Stat(mark); err == nil {
		t.Error("it ran although it was never released")
	}

	running, err := Hold("/bin/sleep", []string{"sleep", "1000"}, nil, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Release(); err != nil {
		t.Fatal(err)
	}
	running.Stop()
	if got, want := running.Outcome(), "was ended by signal "+syscall.SIGTERM.String(); got != want {
		t.Errorf("it %s, want: it %s", got, want)
	}
}

// What cannot be run says so, as a shell does.
func TestNotRun(t *testing.T) {
	var said Tail
	cmd, err := Hold("/dev/null", []string{"null", "x"}, nil, &said)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Release(); err != nil {
		t.Fatal(err)
	}
	if got := cmd.Outcome(); got != "ended with exit status 126" || !cmd.Failed() || cmd.Name() != "null" {
		t.Errorf("%s %s", cmd.Name(), got)
	}
	if got := said.Last(); got != "cannot run null: permission denied" {
		t.Errorf("it said %q", got)
	}
}

// The tail keeps whole lines from the end, and no hint is the last word.
func TestTail(t *testing.T) {
	var tail Tail
	for i := range 10_000 {
		fmt.Fprintf(&tail, "line %d\n", i)
	}
	fmt.Fprint(&tail, "error: no\nhint: do\n\n")
	if text := string(tail.Bytes()); len(text) > maxOutput || len(text) < maxOutput-100 || !strings.HasPrefix(text, "line ") || tail.Last() != "error: no" {
		t.Errorf("%d bytes from %.20q on, the last %q", len(text), text, tail.Last())
	}
}
