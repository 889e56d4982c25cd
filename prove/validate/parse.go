package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// ParseError says where a scenario text is wrong.
type ParseError struct {
	Theme string
	Line  int
	Msg   string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("parse scenarios: %s.txt:%d: %s", e.Theme, e.Line, e.Msg)
}

var nameRE = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// maxName keeps file names that are made from scenario names within limits.
const maxName = 64

// Parse reads the scenarios of one text; those of a text that is written in blocks
// once for each size of blocks that it names. An error is a *ParseError.
func Parse(theme string, text []byte) ([]Scenario, error) {
	out, sizes, err := parseFor(theme, text, 0)
	if err != nil || len(sizes) == 0 {
		return out, err
	}
	out = nil
	for _, b := range sizes {
		scs, _, err := parseFor(theme, text, blockSize(b))
		if err != nil {
			return nil, err
		}
		out = append(out, scs...)
	}
	return out, nil
}

// parseFor reads a text for one size of blocks. For size 0 it gives, of a text that
// is written in blocks, the sizes alone.
func parseFor(theme string, text []byte, b blockSize) ([]Scenario, []int64, error) {
	p := &parser{theme: theme, block: b, groups: map[string][]string{"all": model.VariantNames()}, names: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		p.line++
		if msg := p.parseLine(strings.TrimSpace(line)); msg != "" {
			return nil, nil, &ParseError{Theme: theme, Line: p.line, Msg: msg}
		}
		if b == 0 && len(p.blocks) > 0 {
			return nil, p.blocks, nil
		}
	}
	if msg := p.finish(); msg != "" {
		return nil, nil, &ParseError{Theme: theme, Line: p.line, Msg: msg}
	}
	return p.out, p.blocks, nil
}

// parser goes through a text line by line. Its methods return what is wrong, or "".
type parser struct {
	theme    string
	line     int
	groups   map[string][]string
	names    map[string]bool
	requires []Requirement // of the whole text
	block    blockSize     // for which it is read
	blocks   []int64       // sizes of blocks that the text is for, bytes
	doc      []string      // comment lines so far
	cur      *Scenario
	out      []Scenario
}

func (p *parser) parseLine(line string) string {
	if c, ok := strings.CutPrefix(line, "#"); ok {
		p.doc = append(p.doc, strings.TrimPrefix(c, " "))
		return ""
	}
	if at := strings.Index(line, " #"); at >= 0 {
		line = strings.TrimSpace(line[:at])
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		p.doc = nil
		return ""
	}
	verb, args := words[0], words[1:]
	if verb != "scenario" {
		p.doc = nil
	}
	switch verb {
	case "group":
		return p.group(args)
	case "requires":
		return p.require(args)
	case "blocks":
		return p.sizes(args)
	case "scenario":
		return p.scenario(args)
	}
	if p.cur == nil {
		return fmt.Sprintf("%q before the first scenario", verb)
	}
	switch verb {
	case "covers":
		p.cur.Covers = append(p.cur.Covers, args...)
		return ""
	case "setup":
		return p.setup(line, args)
	case "write":
		return p.write(line, args)
	case "expect":
		return p.expect(args)
	}
	return fmt.Sprintf("unknown word %q", verb)
}

// group NAME VARIANT...
func (p *parser) group(args []string) string {
	if len(args) < 2 || !nameRE.MatchString(args[0]) {
		return "group needs a name and variants"
	}
	if p.groups[args[0]] != nil || slices.Contains(model.VariantNames(), args[0]) {
		return fmt.Sprintf("group %q exists", args[0])
	}
	for _, v := range args[1:] {
		if !slices.Contains(model.VariantNames(), v) {
			return fmt.Sprintf("unknown variant %q", v)
		}
	}
	p.groups[args[0]] = args[1:]
	return ""
}

// blocks SIZE...: each scenario is made once for each of these sizes of blocks.
func (p *parser) sizes(args []string) string {
	if p.cur != nil || len(p.out) > 0 || len(p.blocks) > 0 || len(args) == 0 {
		return "blocks needs sizes, and stands once before the first scenario"
	}
	for _, a := range args {
		n, msg := parseSize(a)
		if msg != "" || n < 1<<10 || n > 64<<10 || n&(n-1) != 0 {
			return fmt.Sprintf("%q is no size of blocks: 1K to 64K", a)
		}
		if slices.Contains(p.blocks, n) {
			return fmt.Sprintf("%q is given twice", a)
		}
		p.blocks = append(p.blocks, n)
	}
	return ""
}

// sized is the name of a scenario with the size of the blocks that it is for.
func (p *parser) sized(name string) string {
	if p.block == 0 {
		return name
	}
	return fmt.Sprintf("%s-%dk", name, p.block>>10)
}

// requires KEY=VALUE[|VALUE]...; before the first scenario it holds for all.
func (p *parser) require(args []string) string {
	if len(args) == 0 {
		return "requires needs a condition"
	}
	for _, a := range args {
		r, msg := parseRequirement(a)
		if msg != "" {
			return msg
		}
		if p.cur != nil {
			p.cur.Requires = append(p.cur.Requires, r)
		} else {
			p.requires = append(p.requires, r)
		}
	}
	return ""
}

func parseRequirement(a string) (Requirement, string) {
	key, val, _ := strings.Cut(a, "=")
	r := Requirement{Key: key}
	switch {
	case key == "blocksize" || key == "sector":
		for v := range strings.SplitSeq(val, "|") {
			n, msg := parseSize(v)
			if msg != "" {
				return r, msg
			}
			r.Values = append(r.Values, n)
		}
	case !slices.Contains(traitNames(), key):
		return r, fmt.Sprintf("unknown requirement %q", a)
	case val == "yes":
		r.Values = []int64{1}
	case val == "no":
		r.Values = []int64{0}
	default:
		return r, fmt.Sprintf("%q: yes or no", a)
	}
	return r, ""
}

// scenario NAME
func (p *parser) scenario(args []string) string {
	doc := strings.Join(p.doc, "\n")
	if msg := p.finish(); msg != "" {
		return msg
	}
	if len(args) != 1 || !nameRE.MatchString(args[0]) || len(p.sized(args[0])) > maxName {
		return fmt.Sprintf("scenario needs a name of small letters, digits and dashes, at most %d", maxName)
	}
	if p.names[args[0]] {
		return fmt.Sprintf("scenario %q exists", args[0])
	}
	p.names[args[0]] = true
	p.cur = &Scenario{Name: p.sized(args[0]), Theme: p.theme, Line: p.line, Doc: doc, Requires: slices.Clone(p.requires)}
	if p.block != 0 {
		p.cur.Requires = append(p.cur.Requires, Requirement{Key: "blocksize", Values: []int64{int64(p.block)}})
	}
	return ""
}

// finish closes the scenario that is being read.
func (p *parser) finish() string {
	p.doc = nil
	if p.cur == nil {
		return ""
	}
	if p.cur.Writes() == 0 {
		return fmt.Sprintf("scenario %q has no write", p.cur.Name)
	}
	for _, s := range p.cur.Steps {
		if s.Write != nil && len(s.Write.Expect) == 0 {
			return fmt.Sprintf("the write in line %d expects nothing", s.Line)
		}
	}
	p.out = append(p.out, *p.cur)
	p.cur = nil
	return ""
}

// expect TARGET[,TARGET...] FIELD=VALUE...; lines for one variant add up.
func (p *parser) expect(args []string) string {
	if len(args) < 2 {
		return "expect needs variants and fields"
	}
	if len(p.cur.Steps) == 0 || p.cur.Steps[len(p.cur.Steps)-1].Write == nil {
		return "expect without a write above it"
	}
	w := p.cur.Steps[len(p.cur.Steps)-1].Write
	var variants []string
	for t := range strings.SplitSeq(args[0], ",") {
		switch {
		case slices.Contains(model.VariantNames(), t):
			variants = append(variants, t)
		case p.groups[t] != nil:
			variants = append(variants, p.groups[t]...)
		default:
			return fmt.Sprintf("unknown variant or group %q", t)
		}
	}
	for _, a := range args[1:] {
		key, val, ok := strings.Cut(a, "=")
		if !ok {
			return fmt.Sprintf("%q is not FIELD=VALUE", a)
		}
		alts, msg := parseField(key, val, p.block)
		if msg != "" {
			return msg
		}
		for _, v := range variants {
			if w.Expect[v] == nil {
				w.Expect[v] = Fields{}
			}
			if w.Expect[v][key] != nil {
				return fmt.Sprintf("%s is given twice for %s", key, v)
			}
			w.Expect[v][key] = alts
		}
	}
	return ""
}
