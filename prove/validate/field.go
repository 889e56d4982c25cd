package validate

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// field is one thing that a scenario can expect: how it is written, and how it
// is read off an observation, in the same words.
type field struct {
	name   string
	syntax *regexp.Regexp
	read   func(*observe.Observation) string
}

const (
	none    = "none"
	unknown = "unknown"
)

// The words of a lookup: (lblk,len[,flags])ret and the state that it found. A
// "?" stands for any number.
const lookupRE = `\(\d+,\d+(,0x[0-9a-f]+)?\)(\?|\d+)[wuhd]|\(\d+,\d+(,0x[0-9a-f]+)?\)(-E[A-Z]+)e`

var fields = []field{
	{"passes", syntax(`[SE]+|none`), passes},
	{"lock", syntax(`shared|exclusive|none`), lock},
	{"lookups", syntax(`none|((` + lookupRE + `)+|-)(/((` + lookupRE + `)+|-))*`), lookups},
	{"drain", syntax(`yes|no`), func(o *observe.Observation) string { return yesNo(o.Drain != nil) }},
	{"force-wait", syntax(`yes|no|none`), forceWait},
	{"zeroed", syntax(`none|(\(` + sizeExpr + `,` + sizeExpr + `\))+`), zeroed},
	{"mappings", syntax(`none|([wuhd]\*?|-E[A-Z]+)(,([wuhd]\*?|-E[A-Z]+))*`), mappings},
	{"fallback", syntax(`none|` + sizeExpr), fallback(func(b *observe.Buffered) string { return fmt.Sprint(b.Len) })},
	{"fallback-drain", syntax(`yes|no|none`), fallback(func(b *observe.Buffered) string { return yesNo(b.Drained) })},
	{"fallback-lock", syntax(`shared|exclusive|none`), fallback(copyLock)},
	{"fmod", syntax(`none|0|-E[A-Z]+`), fmod},
	{"queued", syntax(`yes|no`), func(o *observe.Observation) string { return yesNo(o.Queued) }},
	{"unaligned", syntax(`yes|no`), known((*observe.Observation).Unaligned)},
	{"extending", syntax(`yes|no`), known((*observe.Observation).Extending)},
	{"nosec", syntax(`yes|no`), nosec},
	{"ret", syntax(sizeExpr + `|-E[A-Z]+`), func(o *observe.Observation) string { return result(o.Ret) }},
}

// verdictField is expected of the model's verdict, not of the observation.
const verdictField = "verdict"

var verdictSyntax = syntax(`agree|undecided|slower|differs|unsafe`)

// Core lists the fields without which an expectation says little.
func Core() []string {
	return []string{"passes", "lock", "lookups", "drain", "force-wait", "zeroed", "ret"}
}

func syntax(re string) *regexp.Regexp { return regexp.MustCompile(`^(` + re + `)$`) }

func fieldOf(name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// sizesRE are the sizes in a value of these fields.
var (
	sizesRE = regexp.MustCompile(sizeExpr)
	sized   = []string{"zeroed", "fallback", "ret"}
)

// alternatives reads those of an expected value, with sizes in bytes.
func (p *parser) alternatives(name, val string) []string {
	re := verdictSyntax
	if f := fieldOf(name); f != nil {
		re = f.syntax
	} else if name != verdictField {
		p.refuse("unknown field %q", name)
	}
	var out []string
	for alt := range strings.SplitSeq(val, "|") {
		if !re.MatchString(alt) {
			p.refuse("%q is no value of %s", alt, name)
		}
		if slices.Contains(sized, name) && !strings.HasPrefix(alt, "-E") {
			alt = sizesRE.ReplaceAllStringFunc(alt, func(s string) string { return fmt.Sprint(p.size(p.block, s)) })
		}
		out = append(out, alt)
	}
	return out
}

func yesNo(b bool) string { return model.AnswerOf(b).String() }

// known makes a reader of a fact that may not have been captured.
func known(f func(*observe.Observation) (bool, bool)) func(*observe.Observation) string {
	return func(o *observe.Observation) string {
		v, ok := f(o)
		if !ok {
			return unknown
		}
		return yesNo(v)
	}
}

func passes(o *observe.Observation) string {
	letters := map[record.Lock]string{record.LockShared: "S", record.LockExclusive: "E"}
	s := ""
	for _, p := range o.Passes {
		s += cmp.Or(letters[p.Lock], "?")
	}
	return cmp.Or(s, none)
}

func lock(o *observe.Observation) string {
	if !o.Dio {
		return none
	}
	return observe.LockName(o.Lock)
}

func lookups(o *observe.Observation) string {
	var parts []string
	for _, p := range o.Passes {
		part := ""
		for _, l := range p.Lookups {
			part += lookup(l)
		}
		parts = append(parts, cmp.Or(part, "-"))
	}
	s := strings.Join(parts, "/")
	if strings.Trim(s, "-/") == "" {
		return none
	}
	return s
}

// lookup reads the state off the raw result, without the model's help.
func lookup(l observe.Lookup) string {
	s := fmt.Sprintf("(%d,%d", l.Lblk, l.Len)
	if l.ArgFlags != 0 {
		s += fmt.Sprintf(",%#x", l.ArgFlags)
	}
	s += ")" + result(int64(l.Ret))
	switch {
	case l.Ret < 0:
		return s + "e"
	case l.Ret == 0 && l.MFlags&model.MapDelayed != 0:
		return s + "d"
	case l.Ret == 0:
		return s + "h"
	case l.MFlags&model.MapMapped != 0:
		return s + "w"
	case l.MFlags&model.MapUnwritten != 0:
		return s + "u"
	}
	return s + "?"
}

func forceWait(o *observe.Observation) string {
	if !o.Dio {
		return none
	}
	return yesNo(o.DioFlags&model.DioForceWait != 0)
}

func zeroed(o *observe.Observation) string {
	s := ""
	for _, z := range o.Zeroed {
		s += fmt.Sprintf("(%d,%d)", z.Pos, z.Len)
	}
	return cmp.Or(s, none)
}

func mappings(o *observe.Observation) string {
	var parts []string
	for _, m := range o.Mappings {
		s := "?"
		switch {
		case m.Err != 0:
			s = result(int64(m.Err))
		case int(m.Type) < len("hdwu"): // IOMAP_HOLE, _DELALLOC, _MAPPED, _UNWRITTEN
			s = "hdwu"[m.Type : m.Type+1]
		}
		if m.Err == 0 && m.Allocated() {
			s += "*"
		}
		parts = append(parts, s)
	}
	return cmp.Or(strings.Join(parts, ","), none)
}

// fallback makes a reader of the buffered fallback, where there was one.
func fallback(f func(*observe.Buffered) string) func(*observe.Observation) string {
	return func(o *observe.Observation) string {
		if o.Buffered == nil {
			return none
		}
		return f(o.Buffered)
	}
}

func copyLock(b *observe.Buffered) string {
	if !b.Copied {
		return none
	}
	return observe.LockName(b.CopyLock)
}

func fmod(o *observe.Observation) string {
	if !o.Stages.Has(record.StageFmod) {
		return none
	}
	if !o.FmodKnown {
		return unknown
	}
	return result(int64(o.FmodRet))
}

// nosec is S_NOSEC in the first pass.
func nosec(o *observe.Observation) string {
	if len(o.Passes) == 0 {
		return unknown
	}
	return yesNo(o.Passes[0].Flags&record.PassNosec != 0)
}

// result writes a kernel result: a number, or the name of a negative errno.
func result(ret int64) string {
	if ret >= 0 {
		return fmt.Sprint(ret)
	}
	if unix.Errno(-ret) == unix.EOPNOTSUPP {
		return "-EOPNOTSUPP" // x/sys knows it by its other name
	}
	if name := unix.ErrnoName(unix.Errno(-ret)); name != "" {
		return "-" + name
	}
	return fmt.Sprint(ret)
}

// Compare holds an observation against expected fields and returns those that
// differ, in the order of the field table.
func Compare(want Fields, o *observe.Observation) []trial.Diff {
	var out []trial.Diff
	for _, f := range fields {
		alts, ok := want[f.name]
		if !ok {
			continue
		}
		got := f.read(o)
		if !slices.ContainsFunc(alts, func(a string) bool { return match(a, got) }) {
			out = append(out, trial.Diff{Field: f.name, Expected: strings.Join(alts, "|"), Observed: got})
		}
	}
	return out
}

// match compares a value with a pattern in which "?" stands for any number.
func match(pattern, s string) bool {
	if !strings.Contains(pattern, "?") {
		return pattern == s
	}
	re := syntax(strings.ReplaceAll(regexp.QuoteMeta(pattern), `\?`, `\d+`))
	return re.MatchString(s)
}
