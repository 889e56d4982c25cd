package matrix

import (
	"slices"
	"strings"
	"testing"
)

// TestCutShort: what validate saw to be wrong decides its status, whatever ended it before
// its time; and a disk that fails makes no kernel wrong.
func TestCutShort(t *testing.T) {
	need(t)
	t.Parallel()
	for name, want := range map[string]struct {
		status int
		result string
	}{
		"wrong-tail-unchecked": {1, "failed"},
		"series-patch5":        {3, "unproven"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, r := kernelSpec(t, name), &result{dir: t.TempDir()}
			_, stderr, status := guest(t, spec, "--share", "testdata/cutshort", "--out", r.dir, "--bin", "sleep", "--", "exec", "--", "sh", "/share/cut.sh")
			if status != 0 {
				t.Fatalf("the guest ended with %d:\n%s", status, stderr)
			}
			for cause, says := range map[string]string{"signal": "ended by a signal", "disk": "the disk failed"} {
				var rep struct {
					Result   string
					CutShort string `json:"cut_short"`
					Why      []string
					Configs  []struct{ Scenarios struct{ Passed, Failed int } }
				}
				r.json(t, cause+".json", &rep)
				said := r.read(t, cause+".err")
				if got := r.status(t, cause); got != want.status || rep.Result != want.result {
					t.Errorf("%s: status %d, result %s, want %d, %s: %q\n%s", cause, got, rep.Result, want.status, want.result, rep.Why, said)
				}
				if !strings.Contains(rep.CutShort, says) || !slices.Contains(rep.Why, "the run was cut short: "+rep.CutShort) || !strings.Contains(said, rep.CutShort) {
					t.Errorf("%s: cut short by %q: %q\n%s", cause, rep.CutShort, rep.Why, said)
				}
				if s := rep.Configs[0].Scenarios; s.Passed+s.Failed < 150 || (s.Failed > 0) != (want.status == 1) {
					t.Errorf("%s: %d writes passed, %d failed", cause, s.Passed, s.Failed)
				}
			}
		})
	}
}
