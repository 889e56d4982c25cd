package rowfilter

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
)

// match makes the condition of a field. ok is false when its value is not possible.
func (f *field) match(t *token) (match flag, ok bool) {
	if f.actor != nil || f.actorNumber != nil {
		return f.matchHolders(t)
	}
	switch f.kind {
	case text:
		return matchText(f.word, t)
	case choice:
		return f.matchChoice(t)
	case list:
		return f.matchList(t)
	}
	want, ok := f.kind.parse(t.value)
	return matchNumber(f.number, t.op, want), ok
}

// holds says whether an operator holds, by how a value compares with the one that was
// typed.
var holds = map[string]func(order int) bool{
	"=":  func(order int) bool { return order == 0 },
	"!=": func(order int) bool { return order != 0 },
	"<":  func(order int) bool { return order < 0 },
	"<=": func(order int) bool { return order <= 0 },
	">":  func(order int) bool { return order > 0 },
	">=": func(order int) bool { return order >= 0 },
}

func matchNumber(get func(*export.Row) (int64, bool), op string, want int64) flag {
	is := holds[op]
	return func(r *export.Row) (bool, bool) { n, known := get(r); return is(cmp.Compare(n, want)), known }
}

func matchText(get func(*export.Row) (string, bool), t *token) (match flag, ok bool) {
	is, want, ok := textTest(t)
	return func(r *export.Row) (bool, bool) { s, known := get(r); return known && is(s) == want, known }, ok
}

// textTest is what a text is compared with, and what has to come out. ok is false of what is
// no regular expression.
func textTest(t *token) (is func(string) bool, want, ok bool) {
	is = func(s string) bool { return s == t.value }
	switch {
	case t.isPattern():
		re, err := regexp.Compile("(?i)" + t.value)
		if err != nil {
			return nil, false, false
		}
		is = re.MatchString
	case strings.HasSuffix(t.op, "~"):
		is = newContained(t.value).in
	case !t.literal && strings.ContainsAny(t.value, "*?"):
		is = func(s string) bool { return glob(t.value, s) }
	}
	return is, t.op[0] != '!', true
}

// isPattern reports whether what is in quotes behind ~ is a regular expression: text that
// names of files and words of reasons do not have.
func (t *token) isPattern() bool {
	return t.literal && strings.HasSuffix(t.op, "~") &&
		(strings.HasPrefix(t.value, "^") || strings.HasSuffix(t.value, "$") || strings.Contains(t.value, `\`))
}

// matchChoice compares one word of few.
func (f *field) matchChoice(t *token) (flag, bool) {
	value, want := strings.ToLower(t.value), t.op == "="
	if !hasWord(f.values, value) {
		return nil, false
	}
	if f.name == "verdict" && value == "disagree" {
		return func(r *export.Row) (bool, bool) { return r.Disagrees() == want, r.Verdict.Known }, true
	}
	get, words := f.number, f.choices
	is := words.Index(value)
	return func(r *export.Row) (bool, bool) {
		n, known := get(r)
		return (n == is) == want, known && words.At(n) != ""
	}, true
}

// hasWord reports whether word stands in a list such as "shared, exclusive or none".
func hasWord(list, word string) bool {
	words := strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' })
	return slices.Contains(words, word)
}

// matchList looks for a rule among those of a row.
func (f *field) matchList(t *token) (flag, bool) {
	const most = 13 // R13
	value, want, get := strings.ToUpper(t.value), t.op == "=", f.words
	digits, ok := strings.CutPrefix(value, "R")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > most || strconv.Itoa(n) != digits {
		return nil, false
	}
	return func(r *export.Row) (bool, bool) {
		list, known := get(r)
		return slices.Contains(list, value) == want, known
	}, true
}

// parse reads a number of the kind.
func (k kind) parse(s string) (int64, bool) {
	switch k {
	case duration:
		if s == "0" {
			return 0, true
		}
		d, err := time.ParseDuration(strings.ToLower(s))
		return int64(d), err == nil && d >= 0
	case device:
		dev, ok := export.ParseDev(s)
		return int64(dev), ok
	case count:
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && n >= 0
	case result:
		if name := strings.ToUpper(strings.TrimPrefix(s, "-")); strings.HasPrefix(name, "E") {
			n, ok := export.ParseErrno("-" + name)
			return int64(n), ok
		}
		digits, negative := strings.CutPrefix(s, "-")
		n, ok := parseBytes(digits)
		if negative {
			n = -n
		}
		return n, ok
	}
	return parseBytes(s)
}

// parseBytes reads digits with k, m, g or t behind them.
func parseBytes(s string) (int64, bool) {
	shift := 0
	if s != "" {
		if i := strings.IndexByte("kmgt", s[len(s)-1]|0x20); i >= 0 {
			shift, s = 10*(i+1), s[:len(s)-1]
		}
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n << shift), err == nil && n <= math.MaxInt64>>shift
}
