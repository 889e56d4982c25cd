package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// wrongText says where a scenario text is wrong.
func wrongText(theme string, line int, what string) error {
	return fmt.Errorf("parse scenarios: %s.txt:%d: %s", theme, line, what)
}

var (
	nameRE    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	commentRE = regexp.MustCompile(`(^|\s* )#`)
)

// maxName keeps file names that are made from scenario names within limits.
const maxName = 64

// Parse reads the scenarios of one text; those of a text that is written in blocks
// once for each size of blocks that it names. An error says where it is wrong.
func Parse(theme string, text []byte) ([]Scenario, error) {
	out, sizes, err := parseFor(theme, text, 0)
	for _, b := range sizes {
		scs, _, err := parseFor(theme, text, b)
		if err != nil {
			return nil, err
		}
		out = append(out, scs...)
	}
	return out, err
}

// parseFor reads a text for one size of blocks. For size 0 it gives, of a text that
// is written in blocks, the sizes alone.
func parseFor(theme string, text []byte, b blockSize) ([]Scenario, []blockSize, error) {
	p := &parser{theme: theme, block: b, groups: map[string][]string{"all": model.VariantNames()}, names: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		p.line++
		p.parseLine(strings.TrimSpace(line))
		if p.wrong != "" || b == 0 && len(p.blocks) > 0 {
			break
		}
	}
	p.finish()
	if p.wrong != "" {
		return nil, nil, wrongText(theme, p.line, p.wrong)
	}
	return p.out, p.blocks, nil
}

// parser goes through a text line by line, up to the first that is wrong.
type parser struct {
	theme    string
	line     int
	groups   map[string][]string
	names    map[string]bool
	requires []Requirement // of the whole text
	block    blockSize     // for which it is read
	blocks   []blockSize   // those that the text is for
	cur      *Scenario
	out      []Scenario
	wrong    string // what is, of this line
}

// refuse reports a fault of the line; the first report counts.
func (p *parser) refuse(format string, args ...any) {
	if p.wrong == "" {
		p.wrong = fmt.Sprintf(format, args...)
	}
}

func (p *parser) parseLine(line string) {
	if at := commentRE.FindStringIndex(line); at != nil {
		line = line[:at[0]]
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return
	}
	switch verb, args := words[0], words[1:]; {
	case verb == "group":
		p.group(args)
	case verb == "requires":
		p.require(args)
	case verb == "blocks":
		p.sizes(args)
	case verb == "scenario":
		p.scenario(args)
	case p.cur == nil:
		p.refuse("%q before the first scenario", verb)
	case verb == "covers":
		p.cur.Covers = append(p.cur.Covers, args...)
	case verb == "setup":
		p.step(Step{Text: line, Setup: p.setup(args)})
	case verb == "write":
		p.step(Step{Text: line, Write: p.write(args)})
	case verb == "expect":
		p.expect(args)
	default:
		p.refuse("unknown word %q", verb)
	}
}

// step adds what a line does to the scenario.
func (p *parser) step(s Step) {
	s.Line = p.line
	p.cur.Steps = append(p.cur.Steps, s)
}

// group NAME has BEHAVIOUR... lacks BEHAVIOUR...: the variants that have all of the
// first and none of the second. group NAME VARIANT...: these.
func (p *parser) group(args []string) {
	if len(args) < 2 || !nameRE.MatchString(args[0]) {
		p.refuse("group needs a name, and behaviours behind has or lacks, or variants")
		return
	}
	if p.groups[args[0]] != nil || slices.Contains(model.VariantNames(), args[0]) {
		p.refuse("group %q exists", args[0])
	}
	if args[1] != "has" && args[1] != "lacks" {
		for _, v := range args[1:] {
			if !slices.Contains(model.VariantNames(), v) {
				p.refuse("unknown variant %q", v)
			}
		}
		p.groups[args[0]] = args[1:]
		return
	}
	p.groups[args[0]] = p.behaving(args[1:])
}

// behaving are the variants that have and lack what words say.
func (p *parser) behaving(words []string) []string {
	var wanted [2]model.Behaviours // that they have, and that they lack
	side := 0
	for _, word := range words {
		switch b := model.BehaviourNamed(word); {
		case word == "has":
			side = 0
		case word == "lacks":
			side = 1
		case b == 0:
			p.refuse("unknown behaviour %q: one of %s", word, strings.Join(model.BehaviourNames(), ", "))
		default:
			wanted[side] |= b
		}
	}
	var out []string
	for _, v := range model.Variants() {
		if v.Has(wanted[0]) && v.Behaviours()&wanted[1] == 0 {
			out = append(out, v.String())
		}
	}
	if out == nil {
		p.refuse("no variant is so: %s", strings.Join(words, " "))
	}
	return out
}

// blocks SIZE...: each scenario is made once for each of these sizes of blocks.
func (p *parser) sizes(args []string) {
	if p.cur != nil || len(p.out) > 0 || len(p.blocks) > 0 || len(args) == 0 {
		p.refuse("blocks needs sizes, and stands once before the first scenario")
	}
	for _, a := range args {
		n, ok := inBytes.parse(a)
		if !ok || n < 1<<10 || n > 64<<10 || n&(n-1) != 0 {
			p.refuse("%q is no size of blocks: 1K to 64K", a)
		}
		if slices.Contains(p.blocks, blockSize(n)) {
			p.refuse("%q is given twice", a)
		}
		p.blocks = append(p.blocks, blockSize(n))
	}
}

// sized is the name of a scenario with the size of the blocks that it is for.
func (p *parser) sized(name string) string {
	if p.block == inBytes {
		return name
	}
	return fmt.Sprintf("%s-%dk", name, p.block>>10)
}

// requires KEY=VALUE[|VALUE]...; before the first scenario it holds for all.
func (p *parser) require(args []string) {
	if len(args) == 0 {
		p.refuse("requires needs a condition")
	}
	to := &p.requires
	if p.cur != nil {
		to = &p.cur.Requires
	}
	for _, a := range args {
		*to = append(*to, p.requirement(a))
	}
}

func (p *parser) requirement(a string) Requirement {
	key, val, _ := strings.Cut(a, "=")
	r := Requirement{Key: key}
	switch {
	case key == "blocksize" || key == "sector":
		for v := range strings.SplitSeq(val, "|") {
			r.Values = append(r.Values, p.size(inBytes, v))
		}
	case !slices.Contains(traitNames(), key):
		p.refuse("unknown requirement %q", a)
	case val == "yes":
		r.Values = []int64{1}
	case val == "no":
		r.Values = []int64{0}
	default:
		p.refuse("%q: yes or no", a)
	}
	return r
}

// scenario NAME
func (p *parser) scenario(args []string) {
	p.finish()
	if len(args) != 1 || !nameRE.MatchString(args[0]) || len(p.sized(args[0])) > maxName {
		p.refuse("scenario needs a name of small letters, digits and dashes, at most %d", maxName)
		return
	}
	if p.names[args[0]] {
		p.refuse("scenario %q exists", args[0])
	}
	p.names[args[0]] = true
	p.cur = &Scenario{Name: p.sized(args[0]), Theme: p.theme, Line: p.line, Requires: slices.Clone(p.requires)}
	if p.block != inBytes {
		p.cur.Requires = append(p.cur.Requires, Requirement{Key: "blocksize", Values: []int64{int64(p.block)}})
	}
}

// finish closes the scenario that is being read.
func (p *parser) finish() {
	if p.cur == nil {
		return
	}
	if p.cur.Writes() == 0 {
		p.refuse("scenario %q has no write", p.cur.Name)
	}
	for _, s := range p.cur.Steps {
		if s.Write != nil && len(s.Write.Expect) == 0 {
			p.refuse("the write in line %d expects nothing", s.Line)
		}
	}
	p.out = append(p.out, *p.cur)
	p.cur = nil
}

// expect TARGET[,TARGET...] FIELD=VALUE...; lines for one variant add up.
func (p *parser) expect(args []string) {
	if len(args) < 2 {
		p.refuse("expect needs variants and fields")
		return
	}
	if len(p.cur.Steps) == 0 || p.cur.Steps[len(p.cur.Steps)-1].Write == nil {
		p.refuse("expect without a write above it")
		return
	}
	variants := p.variants(args[0])
	w := p.cur.Steps[len(p.cur.Steps)-1].Write
	for _, a := range args[1:] {
		key, val, ok := strings.Cut(a, "=")
		if !ok {
			p.refuse("%q is not FIELD=VALUE", a)
		}
		alts := p.alternatives(key, val)
		for _, v := range variants {
			if w.Expect[v] == nil {
				w.Expect[v] = Fields{}
			}
			if w.Expect[v][key] != nil {
				p.refuse("%s is given twice for %s", key, v)
			}
			w.Expect[v][key] = alts
		}
	}
}

// variants are those of a list of variants and groups.
func (p *parser) variants(list string) []string {
	var out []string
	for t := range strings.SplitSeq(list, ",") {
		switch {
		case slices.Contains(model.VariantNames(), t):
			out = append(out, t)
		case p.groups[t] != nil:
			out = append(out, p.groups[t]...)
		default:
			p.refuse("unknown variant or group %q", t)
		}
	}
	return out
}
