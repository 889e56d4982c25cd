package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// report is what a test reads of the JSON of validate.
type report struct {
	Variant, Result string
	Why             []string
	Series          struct {
		Patches []struct{ Answer string }
	}
	Configs []struct {
		Name      string
		Possible  string `json:"not_possible"`
		Checked   bool
		Remounted bool
		Fsck      string
		Scenarios struct{ Passed, Failed int }
		Generated struct {
			Writes                            int
			Observed, Known, Bytes, Remounted tally
		}
		Storms struct {
			Storms []struct{ Writes, Wrong int }
		}
	}
	Coverage []waysTaken
	Failures []struct {
		Part, What  string
		Detail      []string
		Concerns    []int
		Explanation string
		Reproducer  string
	}
}

type tally struct{ Right, Wrong, Undecided int }

// patches writes the answers as the table of "vm --matrix" does.
func (r *report) patches() string {
	var b strings.Builder
	for _, p := range r.Series.Patches {
		b.WriteString(map[string]string{"present": "+", "absent": "-", "contradictory": "!"}[p.Answer])
		if p.Answer == "not testable here" {
			b.WriteByte('?')
		}
	}
	return b.String()
}

// waysTaken is a coverage of one variant, as coverage --json has it.
type waysTaken struct {
	Taken, Reachable int
	Share            float64
	Points           []struct {
		Function, Condition, Way, State string
		Parted                          uint64
	}
}

// most: the run took at least 95 % of the kernel's ways, and what it did not is named.
func (r *report) most(t *testing.T) {
	t.Helper()
	if len(r.Coverage) != 1 {
		t.Fatalf("%d coverages", len(r.Coverage))
	}
	c := &r.Coverage[0]
	var missing []string
	for _, p := range c.Points {
		if p.State == "missing" {
			missing = append(missing, p.Condition+": "+p.Way)
		}
	}
	if c.Share < 0.95 || c.Reachable < 50 || len(missing) != c.Reachable-c.Taken {
		t.Errorf("%d of %d ways were taken, without %q", c.Taken, c.Reachable, missing)
	}
	t.Logf("coverage: %d of %d, without %q", c.Taken, c.Reachable, missing)
}

// validate runs validate on the disk of a guest.
func validate(t *testing.T, spec string, status int, args ...string) *report {
	t.Helper()
	all := append([]string{"--", "validate", "--device", "/dev/sda", "--destroy-data", "--yes", "--json"}, args...)
	out, stderr, got := guest(t, spec, all...)
	r := new(report)
	if err := json.Unmarshal([]byte(out), r); err != nil {
		t.Fatalf("validate ended with %d and no report: %v\n%s", got, err, stderr)
	}
	if got != status {
		t.Errorf("validate ended with %d, want %d: %s: %q\n%s", got, status, r.Result, r.Why, stderr)
		for i := range r.Failures {
			if i == 5 {
				break
			}
			t.Errorf("%s\n%s\n%s\n%s", r.Failures[i].What, strings.Join(r.Failures[i].Detail, "\n"), r.Failures[i].Explanation, r.Failures[i].Reproducer)
		}
	}
	return r
}

// TestValidate: each kernel holds the patches that it holds, and does everything
// right, on every configuration. EXT4DIO_FULL=1 makes 5,000 generated writes on each
// kernel instead of some hundred, and takes all kernels through all configurations.
func TestValidate(t *testing.T) {
	need(t)
	t.Parallel()
	const most = "4k,1k,ext3,bigalloc_4k,dioread_nolock,nojournal"
	for _, k := range []struct {
		name     string
		variants []string
		patches  string // "*" is any answer
		configs  string
	}{
		{"debian-6.1", []string{"linux-6.1", "linux-6.1+patch2"}, "-*---" + cold + "--", "4k,ext3"},
		{"debian-6.12", []string{"linux-6.12", "linux-6.12+patch2"}, "-*---" + cold + "--", "4k"},
		{"debian-sid", nil, "********", "4k"},
		{"debian-7.3", []string{"linux-7.3"}, "+++++" + cold + "--", "4k,bigalloc_4k"},
		{"series-base", []string{"base"}, "-----" + cold + "--", "4k"},
		{"series-patch3", []string{"patch3"}, "+++--" + cold + "--", "4k,nojournal"},
		{"series-patch4", []string{"patch4"}, "++++-" + cold + "--", "4k"},
		{"series-patch5", []string{"linux-7.3"}, "+++++" + cold + "--", "4k,1k,ext3,dioread_nolock,inline_data"},
		{"series-v2", []string{"series-v2"}, "++++++++", "4k,1k"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			configs, writes := k.configs, 400
			if os.Getenv("EXT4DIO_FULL") != "" {
				configs, writes = most, 1000
				if strings.Contains(k.configs, "inline_data") {
					configs = most + ",inline_data,adv"
				}
			}
			r := validate(t, kernelSpec(t, k.name), 0, "--config", configs, "--writes", fmt.Sprint(writes))
			if k.variants != nil && !slices.Contains(k.variants, r.Variant) {
				t.Errorf("the variant is %s, want one of %s", r.Variant, k.variants)
			}
			if got := r.patches(); !like(got, k.patches) {
				t.Errorf("patches %s, want %s", got, k.patches)
			}
			r.complete(t, configs, writes)
			r.most(t)
		})
	}
}

// cold is the answer about patch 6 where no direct write of the kernel makes a
// cache-only lookup: a slow symlink tells.
const cold = "-"

func like(got, want string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range want {
		if want[i] != '*' && want[i] != got[i] {
			return false
		}
	}
	return true
}

// complete makes sure that everything was done on every configuration, and found
// right.
func (r *report) complete(t *testing.T, configs string, writes int) {
	t.Helper()
	if n := strings.Count(configs, ",") + 1; len(r.Configs) != n {
		t.Errorf("%d configurations, want %d", len(r.Configs), n)
	}
	for _, c := range r.Configs {
		g := &c.Generated
		concurrent, wrong := 0, 0
		for _, s := range c.Storms.Storms {
			concurrent += s.Writes
			wrong += s.Wrong
		}
		switch {
		case c.Possible != "":
			t.Errorf("%s is not possible: %s", c.Name, c.Possible)
		case c.Scenarios.Passed == 0 || c.Scenarios.Failed > 0:
			t.Errorf("%s: scenarios %+v", c.Name, c.Scenarios)
		case g.Writes < writes || g.Observed.Right == 0 || g.Known.Right == 0 || g.Bytes.Right == 0 || g.Remounted.Right != g.Bytes.Right:
			t.Errorf("%s: generated %+v", c.Name, *g)
		case g.Observed.Wrong+g.Known.Wrong+g.Bytes.Wrong+g.Remounted.Wrong+wrong > 0 || concurrent == 0:
			t.Errorf("%s: %+v, %d concurrent writes, %d wrong", c.Name, *g, concurrent, wrong)
		case !c.Checked || !c.Remounted || c.Fsck != "":
			t.Errorf("%s: checked %v, mounted again %v: %s", c.Name, c.Checked, c.Remounted, c.Fsck)
		}
	}
}

// TestValidateWrong: kernels that decide wrongly are found, with the patch that it
// concerns and what is broken.
func TestValidateWrong(t *testing.T) {
	need(t)
	t.Parallel()
	for _, k := range []struct {
		name   string
		patch  int
		detail string // of one of the failures
		parted string // the only test, or tests of a function, at which its way parts from the model's
	}{
		{"wrong-tail-unchecked", 4, "R1 is broken", "ext4_dio_needs_zeroing: the partial block at the tail is written"},
		{"wrong-nowait-allocates", 1, "R12 is broken", "ext4_iomap_begin: NOWAIT may not allocate, or look up"},
		{"wrong-always-exclusive", 4, "the model's verdict is slower", "ext4_dio_needs_zeroing: "},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			r := validate(t, kernelSpec(t, k.name), 1, "--config", "4k", "--writes", "200", "--seed", "7")
			if !strings.Contains(strings.Join(r.Why, "; "), "no known variant explains every decision") {
				t.Errorf("why: %q", r.Why)
			}
			found := map[string]bool{}
			for _, f := range r.Failures {
				if slices.Contains(f.Concerns, k.patch) && strings.Contains(strings.Join(f.Detail, "\n"), k.detail) && f.Reproducer != "" {
					found[f.Part] = true
				}
				if len(f.Concerns) > 0 && !slices.Contains(f.Concerns, k.patch) {
					t.Errorf("it concerns patches %v: %s: %q", f.Concerns, f.What, f.Detail)
				}
			}
			r.parts(t, k.parted)
			for _, part := range []string{"scenario", "generated"} {
				if !found[part] {
					t.Errorf("no failure of a %s names patch %d and %q", part, k.patch, k.detail)
				}
			}
		})
	}
}

// parts: the way of the kernel parts from the model's at one test only.
func (r *report) parts(t *testing.T, where string) {
	t.Helper()
	at := map[string]uint64{}
	for _, p := range r.Coverage[0].Points {
		if p.Parted > 0 && p.Condition != "the shared lock does not do, first because" {
			at[p.Function+": "+p.Condition] = p.Parted
		}
	}
	for test := range at {
		if !strings.HasPrefix(test, where) {
			t.Errorf("%d writes part from the model at %s, want %s", at[test], test, where)
		}
	}
	if len(at) == 0 {
		t.Errorf("no write parts from the model, want %s", where)
	}
	t.Logf("parted: %v", at)
}
