package validate

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSetText(t *testing.T) {
	var s Set
	a := &Report{Config: "4k", Variant: "base"}
	a.add(Result{Theme: "t", Scenario: "one", Line: 3, Write: "write pos=0 len=4K", Status: Failed, Reason: "wrong"})
	a.add(Result{Status: Passed})
	s.Add(a)
	s.Add(&Report{Config: "1k", Variant: "base", Passed: 2, Fsck: "Block bitmap differences\nno\n"})
	s.Add(&Report{Config: "dax", NotPossible: "no pmem"})
	var b strings.Builder
	if err := s.WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	want := `== 4k
failed  t:3 one: write pos=0 len=4K
        wrong
1 passed, 1 failed, 0 skipped (variant base)
== 1k
2 passed, 0 failed, 0 skipped (variant base)
e2fsck found errors:
        Block bitmap differences
        no

configuration    passed  failed skipped  e2fsck
4k                    1       1       0  clean
1k                    2       0       0  ERRORS
dax             not possible: no pmem
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if s.Passed != 3 || s.Failed != 1 || s.NotPossible != 1 || s.Unclean != 1 {
		t.Errorf("got %+v", s)
	}
	out, err := json.Marshal(&s)
	if err != nil || !strings.Contains(string(out), `"config":"dax","variant":"","results":null,"passed":0,"failed":0,"skipped":0,"undecided":0,"not_possible":"no pmem"`) {
		t.Errorf("got %s, %v", out, err)
	}
}
