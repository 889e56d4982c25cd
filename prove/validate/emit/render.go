package emit

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/analyze/coverage"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/workload/fstests"
	"github.com/ext4dio/ext4dio-trace/prove/workload/xfsio"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// name of a point in a text.
func name(p *coverage.Point) string { return p.Function + ": " + p.Condition + ": " + p.Way }

// mayFail are the steps whose write does less than all on some kernel.
func (t *Test) mayFail() (map[int]bool, error) {
	out := map[int]bool{}
	for _, v := range model.Variants() {
		for _, stale := range []bool{false, true} {
			err := t.Scenario.Foresee(v, stale, func(f validate.Foreseen) {
				if f.Out.Result < int64(t.Scenario.Steps[f.Step].Write.Len()) {
					out[f.Step] = true
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// body are the lines that make the file and its writes.
func (t *Test) body(points []coverage.Point) ([]string, error) {
	may, err := t.mayFail()
	if err != nil {
		return nil, err
	}
	where := placeOf(&t.Scenario)
	var out []string
	again, writes := false, 0
	for i, s := range t.Scenario.Steps {
		if s.Setup != nil {
			out = append(out, setups[s.Setup.Op](s.Setup, where)...)
			continue
		}
		if s.Text == "again" && !again {
			again = true
			out = append(out, "# Once more, and waiting: so the bytes are the same, whether or not the kernel refused.")
		}
		writes++
		for _, taken := range t.Takes {
			if taken.Write == writes {
				out = append(out, "# Takes "+name(&points[taken.Point])+taken.unless())
			}
		}
		out = append(out, judged(s.Write, writes, where, may[i], hasMap(&t.Scenario))...)
	}
	return out, nil
}

// content is what the file holds at the end, on a kernel that is as a variant.
func (t *Test) content(v model.Variant, stale bool) (*fstests.Content, error) {
	var c fstests.Content
	where := placeOf(&t.Scenario)
	did := make([]*wrote, len(t.Scenario.Steps))
	err := t.Scenario.Foresee(v, stale, func(f validate.Foreseen) { did[f.Step] = &wrote{f.Pos, f.Out.Result} })
	if err != nil {
		return nil, err
	}
	writes := 0
	for i, s := range t.Scenario.Steps {
		if s.Setup != nil {
			setUp(&c, s.Setup, where)
			continue
		}
		writes++
		if s.Write.Fresh >= 0 && hasMap(&t.Scenario) {
			c.Write(s.Write.Fresh, where.block, layoutByte)
		}
		if d := did[i]; d != nil && d.n > 0 {
			c.Write(d.pos, d.n, byte(xfsio.Pattern(writes)))
		}
	}
	return &c, nil
}

// wrote is what became of a write.
type wrote struct{ pos, n int64 }

func setUp(c *fstests.Content, s *validate.Setup, where place) {
	switch s.Op {
	case "write", "buffered":
		c.Write(s.Off, s.Len, layoutByte)
	case "prime":
		c.Write(s.Off, where.block, layoutByte)
	case "fallocate":
		if !s.On {
			c.Grow(s.Off + s.Len)
		}
	case "punch":
		c.Zero(s.Off, s.Len)
	case "truncate":
		c.Truncate(s.Off)
	}
}

func (t *Test) number() string { return fmt.Sprintf("%03d", t.Number) }

// about is the comment of a test.
func (t *Test) about(r *coverage.Report) []string {
	writes := 0
	for _, s := range t.Scenario.Steps {
		if s.Write != nil && s.Text != "again" {
			writes++
		}
	}
	return []string{
		fmt.Sprintf("Direct writes on ext4: the scenario %s of ext4dio-trace, up to its write %d. They", t.Scenario.Name, writes),
		"go ways that recordings of " + r.Variant + " did not: by the kernel's model each write goes those",
		"that are named above it. To see them: ext4dio-trace record -o FILE -- COMMAND, then",
		"ext4dio-trace coverage FILE.",
	}
}

// shell is the test as a script for a folder.
func (t *Test) shell(r *coverage.Report, body []string) []byte {
	where := placeOf(&t.Scenario)
	var b strings.Builder
	b.WriteString("#!/bin/sh\n# sh THIS-FILE FOLDER, on an ext4" + where.text() + "\n#\n")
	for _, line := range t.about(r) {
		b.WriteString("# " + line + "\n")
	}
	b.WriteString(xfsio.Prologue)
	unfit := `{ say "not made: needs %s"; exit 3; }` + "\n"
	fmt.Fprintf(&b, `[ "$(stat -f -c %%s .)" = %d ] || `+unfit, where.block, fmt.Sprintf("blocks of %d bytes", where.block))
	if m := where.mount(); m != "" {
		fmt.Fprintf(&b, "need grep\n"+`grep -q " ext4 .*%s" /proc/mounts || `+unfit, m, "a mount with -o "+m)
	}
	fmt.Fprintf(&b, "f=e4d-%s; new \"$f\"; : >\"$f\" || exit 3\n\n", t.number())
	for _, line := range body {
		b.WriteString(xfsio.May(line) + "\n")
	}
	b.WriteString("exit 0\n")
	return []byte(b.String())
}

// text says what a place needs, for people.
func (p place) text() string {
	out := fmt.Sprintf(" with blocks of %d bytes", p.block)
	if p.noExtents {
		out += ", made with " + p.mkfs()
	}
	if m := p.mount(); m != "" {
		out += ", mounted with -o " + m
	}
	return out
}

// fstest is the test for fstests.
func (t *Test) fstest(r *coverage.Report, body []string) (*fstests.Test, error) {
	v, err := model.ParseVariant(r.Variant)
	if err != nil {
		return nil, err
	}
	c, err := t.content(v, false)
	if err != nil {
		return nil, err
	}
	where := placeOf(&t.Scenario)
	out := &fstests.Test{
		Number: t.Number, About: t.about(r), BlockSize: where.block, Mkfs: where.mkfs(), Mount: where.mount(),
		Body:  append([]string{"f=$SCRATCH_MNT/e4d-" + t.number(), ": >" + word}, body...),
		Files: []fstests.File{{Word: word, Content: c}},
	}
	return out, nil
}
