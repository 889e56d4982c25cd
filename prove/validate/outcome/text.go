package outcome

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/random"
	"github.com/ext4dio/ext4dio-trace/prove/validate/series"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// maxExplained is how many failures are explained in the text; the others have a
// few lines. All of them are in the JSON, and in the files of Save.
const maxExplained = 4

// trailingRE are spaces at the ends of lines.
var trailingRE = regexp.MustCompile(`(?m) +$`)

// WriteText writes the report for people: the failures, the tables, and at the end
// what the run means. With all it has a line for every written-down write.
func (o *Outcome) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	if o.Losses.Any() {
		fmt.Fprintf(&b, "LOST: %s\n\n", &o.Losses)
	}
	if all {
		o.writeAll(&b)
	}
	o.writeFailures(&b)
	o.writeThemes(&b)
	o.writeSkipped(&b)
	o.writeGenerated(&b)
	// What fits on a screen of 24 lines at the end is what matters most.
	o.writeCoverage(&b)
	o.writePatches(&b)
	o.writeConfigs(&b)
	o.writeEnd(&b)
	if _, err := io.WriteString(w, trailingRE.ReplaceAllString(b.String(), "")); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// writeAll writes a line for every written-down write.
func (o *Outcome) writeAll(b *strings.Builder) {
	for _, c := range o.Configs {
		if c.Scenarios == nil {
			continue
		}
		fmt.Fprintf(b, "== %s\n", c.title())
		for i := range c.Scenarios.Results {
			c.Scenarios.Results[i].AppendText(b)
		}
	}
	b.WriteByte('\n')
}

func (o *Outcome) writeFailures(b *strings.Builder) {
	explained := map[string]bool{}
	for i := range o.Failures {
		f := &o.Failures[i]
		where := ""
		if f.Config != "" {
			where = f.Config + ": "
		}
		fmt.Fprintf(b, "wrong: %s%s\n", where, f.title())
		for _, d := range f.Detail {
			fmt.Fprintf(b, "        %s\n", d)
		}
		if len(explained) < maxExplained && !explained[f.kind] {
			explained[f.kind] = true
			indent(b, f.Explanation)
			indent(b, f.Reproducer)
		}
	}
	if len(o.Failures) > 0 {
		b.WriteByte('\n')
	}
}

// title is what failed, the patches that it concerns, and how often it happened.
func (f *Failure) title() string {
	s := f.Part + " " + f.What
	if f.Record != nil || len(f.Concerns) > 0 {
		s += series.ConcernText(f.Concerns)
	}
	if f.Count > 1 {
		s += fmt.Sprintf(" (%d times this way)", f.Count)
	}
	return s
}

func indent(b *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(b, "        %s\n", strings.TrimSuffix(line, "\n"))
	}
}

// writePatches writes the answers, with what was tested of each patch.
func (o *Outcome) writePatches(b *strings.Builder) {
	if o.Series == nil {
		return
	}
	_ = o.Series.WriteText(b) // a strings.Builder takes everything
	b.WriteByte('\n')
}

func (o *Outcome) writeConfigs(b *strings.Builder) {
	fmt.Fprintf(b, "%-14s %17s %19s %12s %7s\n", "", "scenarios", "generated", "storms", "files")
	fmt.Fprintf(b, "%-14s %6s%6s%5s %7s%6s%6s %6s%6s %7s  %s\n",
		"configuration", "right", "wrong", "skip", "writes", "wrong", "undec", "writes", "wrong", "right", "e2fsck")
	for _, c := range o.Configs {
		if c.NotPossible != "" {
			fmt.Fprintf(b, "%-14s not possible: %s\n", c.title(), c.NotPossible)
			continue
		}
		s, g, st := c.reports()
		fmt.Fprintf(b, "%-14s %6d%6d%5d %7d%6d%6d %6d%6d %7s  %s\n", c.title(),
			s.Passed, s.Failed, s.Skipped, g.Writes, g.Observed.Wrong+g.Known.Wrong, g.Observed.Undecided,
			st.Writes(), st.Wrong(), files(&s, &g, &st), fsckWord(c))
	}
	b.WriteByte('\n')
}

// files is how many files held the right bytes: "120", or "118/120".
func files(s *validate.Report, g *random.Report, st *storm.Report) string {
	right := s.Files + g.Bytes.Right + st.Bytes.Right
	wrong := len(s.WrongFiles) + g.Bytes.Wrong + g.Remounted.Wrong + st.Bytes.Wrong
	if wrong == 0 {
		return fmt.Sprint(right)
	}
	return fmt.Sprintf("%d/%d", right, right+wrong)
}

func fsckWord(c *Config) string {
	switch {
	case c.Fsck != "":
		return "ERRORS"
	case c.Checked:
		return "clean"
	}
	return "not run"
}

// writeThemes writes a table of the scenarios' writes by theme, with the patches
// that their scenarios are about.
func (o *Outcome) writeThemes(b *strings.Builder) {
	type theme struct {
		validate.Counts
		about []int // patches
	}
	themes := map[string]*theme{}
	var order []string
	var byPatch [model.Patches + 1]validate.Counts
	for _, c := range o.Configs {
		s, _, _ := c.reports()
		for i := range s.Results {
			res := &s.Results[i]
			t := themes[res.Theme]
			if t == nil {
				t = new(theme)
				themes[res.Theme], order = t, append(order, res.Theme)
			}
			t.Add(res.Status)
			t.about = append(t.about, res.Patches()...)
			for _, n := range res.Patches() {
				byPatch[n].Add(res.Status)
			}
		}
	}
	if len(order) == 0 {
		return
	}
	fmt.Fprintf(b, "%-15s %6s %6s %6s  %s\n", "theme", "right", "wrong", "skip", "patches")
	for _, name := range order {
		t := themes[name]
		slices.Sort(t.about)
		fmt.Fprintf(b, "%-15s %6d %6d %6d  %s\n", name, t.Passed, t.Failed, t.Skipped, strings.Trim(fmt.Sprint(slices.Compact(t.about)), "[]"))
	}
	for n := 1; n < len(byPatch); n++ {
		if t := byPatch[n]; t != (validate.Counts{}) {
			fmt.Fprintf(b, "%-15s %6d %6d %6d\n", fmt.Sprintf("patch %d", n), t.Passed, t.Failed, t.Skipped)
		}
	}
	b.WriteByte('\n')
}

// writeSkipped says why the scenarios' writes and storms were left out.
func (o *Outcome) writeSkipped(b *strings.Builder) {
	n := map[string]int{}
	for _, c := range o.Configs {
		s, _, st := c.reports()
		if s.Elsewhere > 0 {
			n["for blocks of another size"] += s.Elsewhere
		}
		for i := range s.Results {
			if res := &s.Results[i]; res.Status == validate.Skipped {
				n[res.Reason]++
			}
		}
		for i := range st.Storms {
			for _, why := range st.Storms[i].Skipped {
				n["storm "+st.Storms[i].Name+", "+why]++
			}
		}
	}
	for _, why := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(b, "left out %4d: %s\n", n[why], why)
	}
	if len(n) > 0 {
		b.WriteByte('\n')
	}
}

// writeGenerated writes what each oracle said of generated writes, over all
// configurations.
func (o *Outcome) writeGenerated(b *strings.Builder) {
	var sum random.Report
	for _, c := range o.Configs {
		_, g, _ := c.reports()
		sum.Writes += g.Writes
		sum.Observed.Add(g.Observed)
		sum.Known.Add(g.Known)
		sum.Bytes.Add(g.Bytes)
		sum.Remounted.Add(g.Remounted)
	}
	if sum.Writes == 0 {
		return
	}
	fmt.Fprintf(b, "generated writes: %d, seed %d\n", sum.Writes, o.Seed)
	for _, oracle := range []struct {
		name string
		trial.Tally
	}{
		{"observed (model fed with what was observed)", sum.Observed},
		{"known (model fed with the known layout)", sum.Known},
		{"bytes (files against their shadows)", sum.Bytes},
		{"bytes, mounted again", sum.Remounted},
	} {
		if oracle.Tally != (trial.Tally{}) {
			fmt.Fprintf(b, "  %-44s %d right, %d wrong, %d undecided\n", oracle.name, oracle.Right, oracle.Wrong, oracle.Undecided)
		}
	}
	b.WriteByte('\n')
}

// writeEnd writes what the run means.
func (o *Outcome) writeEnd(b *strings.Builder) {
	by := "found"
	if o.Chosen {
		by = "chosen"
	}
	fmt.Fprintf(b, "%s\n%s: variant %s (%s), %.0f s", o.Kernel, o.Target, o.Variant, by, o.Seconds)
	if o.Seed != 0 {
		fmt.Fprintf(b, ", seed %d", o.Seed)
	}
	fmt.Fprintf(b, "\n%s", o.Result)
	if len(o.Why) > 0 {
		fmt.Fprintf(b, ": %s", strings.Join(o.Why, "; "))
	}
	b.WriteByte('\n')
}
