package expect

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/rowfilter"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// meant says which writes a policy is about; nil is all.
type meant struct {
	text   string // as it was written
	filter *rowfilter.Filter
}

// parse understands the filter before the colon.
func (m *meant) parse(s *scanner, colon int) *Error {
	text := s.line[:colon]
	switch m.text = strings.TrimSpace(text); m.text {
	case "":
		return s.failf(0, "a filter has to stand before the colon, or * for all writes")
	case "*":
		m.text = ""
		return nil
	}
	var err *Error
	m.filter, err = s.filter(0, text)
	return err
}

// filter understands a part of the line, from a byte on, as a filter.
func (s *scanner) filter(at int, text string) (*rowfilter.Filter, *Error) {
	f, err := rowfilter.Parse(text)
	if err == nil {
		return f, nil
	}
	var wrong *rowfilter.Error
	if errors.As(err, &wrong) {
		at += wrong.At
	}
	return nil, s.failf(at, "%s", err)
}

// what is measured.
type what uint8

const (
	writes what = iota
	quantile
	longest
	mean
	rate
)

// need is one requirement.
type need struct {
	text string // as it was written
	what what
	only *rowfilter.Filter // of writes: which ones; nil for all that are meant
	// reasoned says that only asks for the reason, which a write without a decision does not have.
	reasoned bool
	time     func(*export.Row) (ns int64, known bool)
	part     uint64 // of quantile: in millionths
	op       string
	// limit is a number of writes, ns, writes a second, or, with share, in millionths of all.
	limit int64
	share bool
}

const million = 1_000_000

// operators, the longer ones first.
var operators = []string{"<=", ">=", "!=", "==", "<", ">", "="}

// need understands the requirement at which s stands.
func (s *scanner) need() (*need, *Error) {
	s.skip()
	from := s.at
	n := &need{}
	if err := s.measure(n); err != nil {
		return nil, err
	}
	s.skip()
	rest := s.line[s.at:s.end]
	i := slices.IndexFunc(operators, func(op string) bool { return strings.HasPrefix(rest, op) })
	if i < 0 {
		return nil, s.failf(s.at, "%s has to be followed by one of < <= > >= = != and a value", s.line[from:s.at])
	}
	s.at += len(operators[i])
	n.op = strings.Replace(operators[i], "==", "=", 1)
	s.skip()
	if err := s.value(n); err != nil {
		return nil, err
	}
	n.text = s.line[from:s.at]
	return n, nil
}

// measure understands what stands before the operator.
func (s *scanner) measure(n *need) *Error {
	from := s.at
	if s.at < s.end && (s.line[s.at] == '"' || s.line[s.at] == '\'') {
		return s.reason(n)
	}
	name := strings.ToLower(s.take(func(c byte) bool {
		return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
	}))
	if s.at < s.end && s.line[s.at] == '(' {
		return s.call(n, from, name)
	}
	switch {
	case name == "":
		return s.failf(from, "a requirement has to stand here, such as exclusive<1%% or p99(wait)<1ms")
	case name == "writes":
		// all that are meant
	case name == "rate":
		n.what = rate
	case slices.Contains(rowfilter.Flags(), name):
		n.only, _ = rowfilter.Parse(name) // a flag is a filter
	case rowfilter.Time(name) != nil:
		return s.failf(from, "of a time something has to be asked, such as p99(%s), max(%s) or mean(%s)", name, name, name)
	case rowfilter.IsField(name):
		return s.failf(from, "%s is a word of filters, and a filter stands before a colon or in writes(…)", name)
	default:
		return s.failf(from, "nothing is called %s%s", name, nearest(name, append(rowfilter.Flags(), "writes", "rate", "p99(wait)", "max(wait)", "mean(wait)")))
	}
	return nil
}

// nearest says what may have been meant.
func nearest(typed string, names []string) string {
	best, meant := 3, ""
	for _, name := range names {
		if d := rowfilter.Distance(typed[:min(len(typed), 20)], name); d < best && d <= len(name)/2 {
			best, meant = d, name
		}
	}
	if meant != "" {
		return ": did you mean " + meant + "?"
	}
	return "; there are writes, rate, p99(wait), max(wait), mean(wait), a reason in quotes and the flags of --filter: exclusive, shared, refused, restarted and others"
}

// reason understands a text in quotes. One that no reason of the model has is a slip, which
// would be kept for ever.
func (s *scanner) reason(n *need) *Error {
	from, quote := s.at, s.line[s.at]
	s.at++
	for s.at < s.end && s.line[s.at] != quote {
		s.at++
	}
	if s.at == s.end {
		return s.failf(from, "%s has no closing quote", s.line[from:s.end])
	}
	s.at++
	var err *Error
	if n.only, err = s.filter(from, "reason~"+s.line[from:s.at]); err != nil {
		err.Column = s.failf(from, "").Column
		return err
	}
	for _, reason := range model.Reasons() {
		if n.only.Match(&export.Row{Reason: string(reason)}) {
			n.reasoned = true
			return nil
		}
	}
	var all []string
	for _, reason := range model.Reasons() {
		all = append(all, strconv.Quote(string(reason)))
	}
	return s.failf(from, "no reason has %s; there are %s", s.line[from:s.at], strings.Join(all, " "))
}

// call understands the parentheses behind a name.
func (s *scanner) call(n *need, from int, name string) *Error {
	inside := s.at + 1
	closing := -1
	plain(s.line[s.at:s.end], func(i, open int) bool {
		if s.line[s.at+i] == ')' && open == 0 {
			closing = s.at + i
		}
		return closing < 0
	})
	if closing < 0 {
		return s.failf(s.at, "this parenthesis is not closed")
	}
	argument := s.line[inside:closing]
	s.at = closing + 1
	switch {
	case name == "writes":
		if strings.TrimSpace(argument) == "" {
			return s.failf(inside, "a filter has to stand in writes(…), such as writes(ret=-ENOSPC)")
		}
		var err *Error
		n.only, err = s.filter(inside, argument)
		return err
	case name == "max":
		n.what = longest
	case name == "mean":
		n.what = mean
	case strings.HasPrefix(name, "p") && parsePercentile(name[1:], &n.part):
		n.what = quantile
	default:
		return s.failf(from, "%s(…) is not possible: writes(FILTER), max(TIME), mean(TIME), or p50(TIME) to p99.9999(TIME)", name)
	}
	word := strings.ToLower(strings.TrimSpace(argument))
	if n.time = rowfilter.Time(word); n.time == nil {
		return s.failf(inside, "%s is no time; there are %s", argument, strings.Join(rowfilter.Times(), " "))
	}
	return nil
}

// parsePercentile reads a number between 0 and 100, in millionths of 1.
func parsePercentile(digits string, part *uint64) bool {
	n, ok := parseMillionths(digits, 4)
	*part = uint64(n)
	return ok && n > 0 && n < million
}

// parseMillionths reads a percentage with that many decimals at most, as millionths of all.
func parseMillionths(s string, decimals int) (int64, bool) {
	whole, fraction, dot := strings.Cut(s, ".")
	if whole == "" || len(whole) > 3 || dot && fraction == "" || len(fraction) > decimals {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", 4-len(fraction)), 10, 32)
	return int64(n), err == nil
}

// value understands what stands behind the operator.
func (s *scanner) value(n *need) *Error {
	from := s.at
	text := s.take(func(c byte) bool { return c != ',' && strings.IndexByte(blanks, c) < 0 })
	if text == "" {
		return s.failf(from, "a value has to stand here: %s", n.values())
	}
	ok := false
	switch percent, isShare := strings.CutSuffix(text, "%"); {
	case n.what == writes && isShare:
		n.share = true
		n.limit, ok = parseMillionths(percent, 4)
		ok = ok && n.limit <= million && n.only != nil
	case n.what == writes:
		n.limit, ok = parseCount(text)
	case n.what == rate:
		n.limit, ok = parseCount(strings.TrimSuffix(text, "/s"))
	default:
		d, err := time.ParseDuration(strings.ToLower(text))
		n.limit, ok = int64(d), (err == nil || text == "0") && d >= 0
	}
	switch {
	case !ok:
		return s.failf(from, "%s is not possible; %s", text, n.values())
	case n.op == "<" && n.limit == 0, n.op == ">" && n.share && n.limit == million:
		return s.failf(from, "nothing is %s%s: it would always be broken", n.op, text)
	case n.op == ">=" && n.limit == 0, n.op == "<=" && n.share && n.limit == million:
		return s.failf(from, "everything is %s%s: it would never be broken", n.op, text)
	}
	return nil
}

func parseCount(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil && n <= math.MaxInt64/million
}

// values says what is possible.
func (n *need) values() string {
	switch {
	case n.what == writes && n.only == nil:
		return "a number of writes, such as 10"
	case n.what == writes:
		return "a share such as 1% or 0.05%, or a number of writes such as 10"
	case n.what == rate:
		return "writes a second, such as 500/s"
	}
	return "a time, such as 50us or 5ms"
}
