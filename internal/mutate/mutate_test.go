package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestFind lists the changes to each kind of source text.
func TestFind(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"comparison", "func f() { if a < b { g() } }", `
			f: if a < b: a < b -> a >= b
			f: if a < b: a < b -> a <= b`},
		{"equality", "func f() { for a == b { g() } }", `
			f: for a == b: a == b -> a != b`},
		{"condition in a result", "func f() bool { return a > b }", `
			f: return a > b: a > b -> a >= b
			f: return a > b: a > b -> a <= b`},
		{"call", "func (x *T) f() { if ok() { g() } }", `
			T.f: if ok(): ok() -> !ok()`},
		{"not", "func f() { if !ok { g() } }", `
			f: if !ok: !ok -> ok`},
		{"operands", "func f() { if a && !b { g() } }", `
			f: if a && !b: a && !b -> !(a && !b)
			f: if a && !b: a && !b -> a || !b
			f: if a && !b: a -> !a
			f: if a && !b: !b -> b`},
		{"cases", "func f() { switch { case a: g() \n default: h() } }", `
			f: case a: case a -> (dropped)
			f: case a: a -> !a
			f: default: h(): default: h() -> (dropped)`},
		{"cases with a tag", "func f() { switch x { case a, b: g() } }", `
			f: switch x: case a, b: switch x: case a, b -> (dropped)`},
		{"constants", "func f() Answer { x = Unknown; if x == Yes { return No }; m = T{No: Shared}; return No }", `
			f: x = Unknown: Unknown -> Yes
			f: if x == Yes: x == Yes -> x != Yes
			f: if x == Yes: Yes -> No
			f: return No: No -> Yes
			f: No: Shared: Shared -> Exclusive
			f: return No: No -> Yes (2)`},
		{"sums", `func f() { x = a + 1; y = "a" + b; z = a - b }`, `
			f: x = a + 1: a + 1 -> a - 1
			f: x = a + 1: a + 1 -> a
			f: z = a - b: a - b -> a + b`},
		{"table", "const both = A | B\nvar t = map[int]int{1: A | both}", `
			both: both = A | B: A -> 0
			both: both = A | B: B -> 0
			t: 1: A | both: A -> 0
			t: 1: A | both: both -> 0`},
		{"nothing", "var x = a && b\nfunc f()", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := findIn("x.go", []byte("package x\n"+tt.src))
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for i := range found {
				got = append(got, strings.TrimPrefix(found[i].name(), "x.go "))
			}
			for line := range strings.Lines(tt.want) {
				if line = strings.TrimSpace(line); line != "" {
					want = append(want, line)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	if _, err := findIn("x.go", []byte("package")); err == nil {
		t.Error("no error for a file that is no Go")
	}
}

// TestTiny runs the tool over a package with mutants of every fate.
func TestTiny(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds tests")
	}
	var out bytes.Buffer
	err := run(context.Background(), []string{"./testdata/tiny", "-slow", "Slowly", "-run", "Mask|Full|<=|dropped|n < 8 -> n >=|i < 2 -> i >=|i > 9"}, &out)
	if !errors.Is(err, errLeft) {
		t.Errorf("error %v, want one that says that mutants are left", err)
	}
	want := `tiny.go:6: Mask: Mask = 1 | 4: 1 -> 0: killed by TestMask
tiny.go:6: Mask: Mask = 1 | 4: 4 -> 0: killed by TestMask
tiny.go:13: Fits: return n < 8: n < 8 -> n <= 8: killed by TestFits
tiny.go:13: Fits: return n < 8: n < 8 -> n >= 8: killed by TestFits
tiny.go:17: Full: return n == 8: n == 8 -> n != 8: SURVIVED
tiny.go:23: Odd: case rest == 0: case rest == 0 -> (dropped): does not compile
tiny.go:31: Double: for i := 0; i < 2; i++: i < 2 -> i >= 2: killed by TestDouble/of_2
tiny.go:31: Double: for i := 0; i < 2; i++: i < 2 -> i <= 2: killed by TestDouble/of_2
tiny.go:33: Double: if i > 9: i > 9 -> i <= 9: killed by TestDouble/of_2 (panic)
tiny.go:33: Double: if i > 9: i > 9 -> i >= 9: SURVIVED
9 mutants: 7 killed, 0 equivalent, 2 to look at
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestSlowTests: what only the tests that are left for last notice.
func TestSlowTests(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds tests")
	}
	for _, tt := range []struct{ flag, want string }{
		{"-quick", "SURVIVED"}, {"-quick=false", "killed by TestFits"},
	} {
		var out bytes.Buffer
		_ = run(context.Background(), []string{"./testdata/tiny", tt.flag, "-slow", "TestFits", "-run", "n < 8 -> n >="}, &out)
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: %s, want %s", tt.flag, out.String(), tt.want)
		}
	}
}

// TestFailsWithout: tests that fail anyway say nothing about a mutant.
func TestFailsWithout(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds tests")
	}
	err := run(context.Background(), []string{"./testdata/tiny", "-slow", "none"}, io.Discard)
	if err == nil || errors.Is(err, errLeft) || !strings.Contains(err.Error(), "TestFitsSlowly fails without any change") {
		t.Errorf("error %v", err)
	}
}

// TestEquivalent: every line of equivalent.txt names a mutant of the model.
func TestEquivalent(t *testing.T) {
	reasons, err := readEquivalent(equivalentText)
	if err != nil {
		t.Fatal(err)
	}
	mutants, err := find("../../userspace-model")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range unused(reasons, mutants) {
		t.Errorf("equivalent.txt: the model has no mutant %s", name)
	}
}

func TestReadEquivalent(t *testing.T) {
	got, err := readEquivalent("# remark\n\na: b\n  because\n  of it\nc\n\n  so\n")
	if err != nil || len(got) != 2 || got["a: b"] != "because of it" || got["c"] != "so" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"  reason", "a\nb\n  c", "a\n  b\na\n  c"} {
		if _, err := readEquivalent(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
	if got := unused(map[string]string{"x.go f: if a: a -> !a": "so", "gone": "so"}, []mutant{
		{file: "x.go", fn: "f", where: "if a", old: "a", new: "!a", nth: 1},
	}); !slices.Equal(got, []string{"gone"}) {
		t.Errorf("unused: %q", got)
	}
}

// TestKiller reads which test failed first.
func TestKiller(t *testing.T) {
	tests := []struct{ name, out, want string }{
		{"failure", "--- FAIL: TestA (0.00s)\n    a_test.go:3: no\nFAIL\n", "TestA"},
		{"subtest", "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\n        --- FAIL: TestA/x/y (0.00s)\n    --- FAIL: TestA/z (0.00s)\n", "TestA/x/y"},
		{"panic", "--- FAIL: TestA (0.00s)\npanic: index out of range [recovered]\n", "TestA (panic)"},
		{"hang", "panic: test timed out after 1m0s\n\trunning tests:\n\t\tTestB (59s)\n\ngoroutine 7:\nx/y.TestB(0x1)\n", "TestB (time limit)"},
		{"memory", "fatal error: runtime: cannot allocate memory\n\ngoroutine 7:\nx/y.f(0x1)\nx/y.TestC(0x1)\n", "TestC (cannot allocate memory)"},
		{"no name", "exit status 3\n", "a test"},
	}
	for _, tt := range tests {
		if got := killer([]byte(tt.out)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestTable: the document has no line numbers, and what does not compile is left out.
func TestTable(t *testing.T) {
	m := mutant{file: "a.go", fn: "f", where: "if a || b", old: "a || b", new: "a && b", nth: 1, line: 77}
	again := m
	again.nth = 2
	results := []result{
		{mutant: m, outcome: outcome{killedBy: "TestA"}},
		{mutant: m, outcome: outcome{noBuild: true}},
		{mutant: m, reason: "so"},
		{mutant: again},
		{mutant: m, outcome: outcome{killedBy: "TestB"}, reason: "wrong"},
	}
	var b bytes.Buffer
	if err := writeTable(&b, "pkg", results); err != nil {
		t.Fatal(err)
	}
	const line = "| f | `if a \\|\\| b` | `a \\|\\| b` → `a && b`"
	want := "4 mutants: 1 killed, 1 equivalent, 2 to look at.\n\n## a.go\n\n| function | source | mutation | killed by |\n| --- | --- | --- | --- |\n" +
		line + " | TestA |\n" + line + " | equivalent |\n" + line + " (2) | SURVIVED |\n" +
		line + " | TestB, BUT LISTED AS EQUIVALENT |\n"
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("got\n%s\nwant at the end\n%s", b.String(), want)
	}
}

func TestParse(t *testing.T) {
	for _, args := range [][]string{{"x", "-run", "a"}, {"-run", "a", "x"}} {
		if o, err := parse(args); err != nil || o.dir != "x" || o.match != "a" {
			t.Errorf("%q: %+v, %v", args, o, err)
		}
	}
	for _, args := range [][]string{{}, {"x", "y"}, {"-run", "a", "-o", "f", "x"}, {"-quick", "-o", "f", "x"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("no error for %q", args)
		}
	}
}
