package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){progName: main})
}

// TestScripts runs the program as a user does. Beside testscript's commands the
// scripts have
//
//	status N COMMAND…   COMMAND must end with exit status N
//	nocaps N COMMAND…   the same, for a process that may not trace
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": func(ts *testscript.TestScript, _ bool, args []string) { status(ts, args, nil) },
			"nocaps": func(ts *testscript.TestScript, _ bool, args []string) { status(ts, args, withoutCaps(ts)) },
		},
		Setup: func(env *testscript.Env) error {
			traces, err := filepath.Abs(filepath.Join("..", "..", "testdata", "traces"))
			env.Setenv("TRACES", traces)
			return err
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func status(ts *testscript.TestScript, args, prefix []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	argv := append(prefix, args[1:]...)
	got := 0
	if err := ts.Exec(argv[0], argv[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v: %v", argv, err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit status %d, want %d", argv, got, want)
	}
}

// withoutCaps is a command line that takes all capabilities away from root.
func withoutCaps(ts *testscript.TestScript) []string {
	if os.Geteuid() != 0 {
		return nil
	}
	path, err := exec.LookPath("setpriv")
	if err != nil {
		ts.Fatalf("setpriv (package util-linux) is needed to test as root: %v", err)
	}
	return []string{path, "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"}
}
