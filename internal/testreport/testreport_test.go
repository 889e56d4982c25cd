package testreport_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	"github.com/ext4dio/ext4dio-trace/internal/testreport"
)

// hostile is a report with all that can be in one, and names that would be something else.
func hostile() *testreport.Report {
	r := &testreport.Report{Name: "a run\nKTAP version 1\n1..9", Seconds: 1.5}
	r.Add(testreport.Suite{Name: "first # SKIP", Cases: []testreport.Case{
		{Class: "class", Name: "passes"},
		{Class: "class", Name: "fails # SKIP not really\nok 3 me", Failed: "because\nok 4 no\x1b[31m", Detail: "not ok 1 x\n\n  1..7\n# y\n"},
		{Class: "class", Name: "is skipped", Skipped: "no\nneed # for it"},
		{Class: "class", Name: "bytes \xff\x00"},
	}})
	r.Add(testreport.Suite{Name: "all skipped", Cases: []testreport.Case{{Class: "c", Name: "c", Skipped: "x"}}})
	r.Add(testreport.Suite{Name: "empty"})
	return r
}

// Whatever the names are, both forms are what their readers want, and say the same.
func TestForms(t *testing.T) {
	var ktap, junit strings.Builder
	r := hostile()
	if err := r.WriteKTAP(&ktap); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteJUnit(&junit); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "hostile.ktap", ktap.String())
	all, err := testkit.ParseKTAP(ktap.String())
	if err != nil || len(all) != 5 {
		t.Fatalf("%d tests: %v", len(all), err)
	}
	for i, want := range []struct{ ok, skipped bool }{{true, false}, {false, false}, {true, true}, {true, false}, {true, true}} {
		if all[i].OK != want.ok || all[i].Skipped != want.skipped {
			t.Errorf("%+v, want %+v", all[i], want)
		}
	}
	if all[1].Name != "class: fails SKIP not really ok 3 me" || !slices.Contains(all[1].Notes, "not ok 1 x") {
		t.Errorf("%+v", all[1])
	}
	if tests, failed, skipped, err := testkit.ParseJUnit(junit.String()); tests != 5 || failed != 1 || skipped != 2 || err != nil {
		t.Errorf("%d tests, %d failed, %d skipped: %v", tests, failed, skipped, err)
	}
}

// A run without tests is none without failures.
func TestNothing(t *testing.T) {
	var b strings.Builder
	if err := new(testreport.Report).OrNothing("check", "no write").WriteKTAP(&b); err != nil {
		t.Fatal(err)
	}
	if all, err := testkit.ParseKTAP(b.String()); err != nil || len(all) != 1 || all[0].OK {
		t.Errorf("%+v: %v", all, err)
	}
}

// The reader of the tests takes nothing that is not KTAP.
func TestReaderIsStrict(t *testing.T) {
	for _, bad := range []string{
		"", "1..0\n", "KTAP version 1\n", "KTAP version 1\n1..1\n", "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\n",
		"KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 2 a\nok 1 b\n",
		"KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 a\nok 1 b\n",
		"KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a # b\nok 1 b\n",
		"KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n    ok 1 a\nok 1 b\n",
		"KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\nok 1 b\nok 2 c\n",
	} {
		if all, err := testkit.ParseKTAP(bad); err == nil {
			t.Errorf("%q is taken: %+v", bad, all)
		}
	}
}
