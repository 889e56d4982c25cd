package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// memory is what a mutant may take that loops and allocates, in KiB.
const memory = 8_000_000

// outcome is what became of a mutant.
type outcome struct {
	killedBy string // the test, and how if it did not simply fail
	noBuild  bool   // the change does not compile: no mutant at all
}

func (o outcome) survived() bool { return o.killedBy == "" && !o.noBuild }

// tester runs the tests of one package.
type tester struct {
	options
	tmp     string
	mutants []mutant
	broken  map[int]bool // these do not compile
}

// prepare compiles all mutants of functions, and runs the tests without any change:
// if they fail then, a failure says nothing.
func (t *tester) prepare(ctx context.Context) error {
	t.broken = map[int]bool{}
	for {
		var which []int
		for i := range t.mutants {
			if t.mutants[i].body != nil && !t.broken[i] {
				which = append(which, i)
			}
		}
		o, err := newOverlay(t.dir, t.tmp)
		if err != nil {
			return err
		}
		if err := o.all(t.mutants, which); err != nil {
			return err
		}
		log, err := t.build(ctx, o, "all")
		if err == nil {
			break
		}
		broken := broken(log)
		if len(broken) == 0 || ctx.Err() != nil {
			return fmt.Errorf("build tests: %w\n%s", err, log)
		}
		maps.Copy(t.broken, broken)
	}
	switch got, err := t.tests(ctx, "all", -1); {
	case err != nil:
		return err
	case !got.survived():
		return fmt.Errorf("run tests: %s fails without any change", got.killedBy)
	}
	return nil
}

// try runs the tests of mutant i.
func (t *tester) try(ctx context.Context, i int) (outcome, error) {
	switch {
	case t.broken[i]:
		return outcome{noBuild: true}, nil
	case t.mutants[i].body != nil:
		return t.tests(ctx, "all", i)
	}
	o, err := newOverlay(t.dir, t.tmp)
	if err != nil {
		return outcome{}, err
	}
	if err := o.one(&t.mutants[i]); err != nil {
		return outcome{}, err
	}
	if log, err := t.build(ctx, o, "one"); err != nil {
		if ctx.Err() == nil && bytes.Contains(log, []byte(t.mutants[i].file+":")) {
			return outcome{noBuild: true}, nil
		}
		return outcome{}, fmt.Errorf("build mutant: %w\n%s", err, log)
	}
	return t.tests(ctx, "one", i)
}

func (t *tester) binary(name string) string { return filepath.Join(t.tmp, name+".test") }

func (t *tester) build(ctx context.Context, o *overlay, name string) ([]byte, error) {
	list, err := o.list()
	if err != nil {
		return nil, err
	}
	// -e: all errors of the compiler, not the first ten.
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", list, "-o", t.binary(name), ".")
	cmd.Dir = t.dir
	return cmd.CombinedOutput()
}

// tests runs the quick tests, then all.
func (t *tester) tests(ctx context.Context, name string, i int) (outcome, error) {
	o, err := t.once(ctx, name, i, t.limit, "-test.short", "-test.skip="+t.slow)
	if err != nil || t.quick || !o.survived() {
		return o, err
	}
	return t.once(ctx, name, i, 10*t.limit)
}

// once runs the tests that were built, one at a time so that the first to fail is
// always the same.
func (t *tester) once(ctx context.Context, name string, i int, limit time.Duration, args ...string) (outcome, error) {
	// The test's own limit names the test that hangs; the other is for one that does
	// not even heed that.
	within, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	script := fmt.Sprintf(`ulimit -v %d; exec nice -n 5 "$0" "$@"`, memory)
	cmd := exec.CommandContext(within, "sh", append([]string{"-c", script, t.binary(name),
		"-test.failfast", "-test.parallel=1", "-test.timeout=" + limit.String()}, args...)...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", chosen, i))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return outcome{}, nil
	case ctx.Err() != nil:
		return outcome{}, ctx.Err()
	case within.Err() != nil:
		return outcome{killedBy: "the time limit"}, nil
	case !errors.As(err, &exit):
		return outcome{}, fmt.Errorf("run tests: %w", err)
	}
	return outcome{killedBy: killer(out)}, nil
}

var (
	failLine  = regexp.MustCompile(`(?m)^( *)--- FAIL: (\S+)`)
	hangLine  = regexp.MustCompile(`(?m)^panic: test timed out`)
	panicLine = regexp.MustCompile(`(?m)^panic: (.*)`)
	fatalLine = regexp.MustCompile(`(?m)^fatal error: (.*)`)
	frameLine = regexp.MustCompile(`\.((?:Test|Fuzz)\w+)\(`)
)

// killer reads from the output of tests which of them failed first, and how.
func killer(out []byte) string {
	name, depth := "a test", -1
	for _, line := range failLine.FindAllSubmatch(out, -1) {
		if len(line[1]) <= depth {
			break // the next failure
		}
		name, depth = string(line[2]), len(line[1])
	}
	if depth < 0 {
		if frame := frameLine.FindSubmatch(out); frame != nil {
			name = string(frame[1])
		}
	}
	switch {
	case hangLine.Match(out):
		return name + " (time limit)"
	case fatalLine.Match(out):
		return name + " (" + strings.TrimPrefix(string(fatalLine.FindSubmatch(out)[1]), "runtime: ") + ")"
	case panicLine.Match(out):
		return name + " (panic)"
	}
	return name
}
