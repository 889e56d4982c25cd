package testkit

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Subtest is a test case in KTAP, in the test that it is part of.
type Subtest struct {
	Test, Name  string
	OK, Skipped bool
	Notes       []string // the diagnostic lines before its result
}

var (
	ktapPlan   = regexp.MustCompile(`^1\.\.(\d+)$`)
	ktapResult = regexp.MustCompile(`^(ok|not ok) (\d+) ([^#\s][^#]*?)( # SKIP( \S.*)?)?$`)
)

// ParseKTAP reads KTAP version 1 with one level of subtests, and allows nothing that
// Documentation/dev-tools/ktap.rst does not have: plans that hold, numbers in turn, and a test that
// fails exactly when one of its subtests does.
func ParseKTAP(text string) ([]Subtest, error) {
	if !strings.HasSuffix(text, "\n") {
		return nil, errors.New("no newline at the end")
	}
	p := &ktap{lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	_, err := p.tests("", func(int) error { return p.inner() })
	if err == nil && len(p.lines) > 0 {
		err = fmt.Errorf("something follows: %q", p.lines[0])
	}
	return p.out, err
}

// ktap is a reader of KTAP.
type ktap struct {
	lines []string
	out   []Subtest
}

func (p *ktap) next(indent string) (string, error) {
	if len(p.lines) == 0 || !strings.HasPrefix(p.lines[0], indent) || strings.HasPrefix(p.lines[0], indent+" ") {
		return "", fmt.Errorf("%d lines before the end: a line indented by %d is missing", len(p.lines), len(indent))
	}
	line := p.lines[0][len(indent):]
	p.lines = p.lines[1:]
	return line, nil
}

// tests reads a version line, a plan and its results; before is called before each.
func (p *ktap) tests(indent string, before func(i int) error) (all []Subtest, err error) {
	version, err := p.next(indent)
	if err != nil || version != "KTAP version 1" {
		return nil, fmt.Errorf("%q is no version line: %w", version, err)
	}
	line, err := p.next(indent)
	plan := ktapPlan.FindStringSubmatch(line)
	if err != nil || plan == nil {
		return nil, fmt.Errorf("%q is no plan: %w", line, err)
	}
	n, _ := strconv.Atoi(plan[1])
	for i := range n {
		first := len(p.out)
		notes, err := p.notes(indent, nil)
		if err == nil && before != nil {
			err = before(i)
		}
		if err == nil {
			notes, err = p.notes(indent, notes)
		}
		if err != nil {
			return nil, err
		}
		if line, err = p.next(indent); err != nil {
			return nil, err
		}
		r := ktapResult.FindStringSubmatch(line)
		if r == nil || r[2] != strconv.Itoa(i+1) {
			return nil, fmt.Errorf("%q is no result of test %d", line, i+1)
		}
		s := Subtest{Name: r[3], OK: r[1] == "ok", Skipped: r[4] != "", Notes: notes}
		if before != nil {
			inside := p.out[first:]
			if failed := slices.ContainsFunc(inside, func(s Subtest) bool { return !s.OK }); failed == s.OK {
				return nil, fmt.Errorf("%q, and its subtests do not say so", line)
			}
			for k := range inside {
				inside[k].Test = s.Name
			}
		}
		all = append(all, s)
	}
	return all, nil
}

func (p *ktap) inner() error {
	all, err := p.tests("  ", nil)
	p.out = append(p.out, all...)
	return err
}

// notes takes diagnostic lines.
func (p *ktap) notes(indent string, out []string) ([]string, error) {
	for len(p.lines) > 0 && strings.HasPrefix(p.lines[0], indent+"# ") {
		out = append(out, strings.TrimPrefix(p.lines[0], indent+"# "))
		p.lines = p.lines[1:]
	}
	return out, nil
}

// junitSuite is a testsuites or testsuite element.
type junitSuite struct {
	XMLName   xml.Name
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Time      string     `xml:"time,attr"`
	Timestamp string     `xml:"timestamp,attr"`
	Other     []xml.Attr `xml:",any,attr"`

	Suites []junitSuite `xml:"testsuite"`
	Cases  []struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Other   []xml.Attr `xml:",any,attr"`
		Failure []junitWhy `xml:"failure"`
		Skipped []junitWhy `xml:"skipped"`
		Output  string     `xml:"system-out"`
		Unknown []junitAny `xml:",any"`
	} `xml:"testcase"`
	Output  string     `xml:"system-out"`
	Unknown []junitAny `xml:",any"`
}

type (
	junitWhy struct {
		Message string `xml:"message,attr"`
	}
	junitAny struct{ XMLName xml.Name }
)

// ParseJUnit reads JUnit XML as CI systems do, and returns how many cases it has, how many of them
// failed and were skipped. Elements and attributes that those do not know, and sums that do not
// hold, are errors.
func ParseJUnit(text string) (tests, failures, skipped int, err error) {
	d := xml.NewDecoder(strings.NewReader(text))
	var all junitSuite
	if err := d.Decode(&all); err != nil {
		return 0, 0, 0, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) && err != nil {
		return 0, 0, 0, err
	}
	if all.XMLName.Local != "testsuites" || len(all.Cases) > 0 {
		return 0, 0, 0, fmt.Errorf("the root is %s with %d cases", all.XMLName.Local, len(all.Cases))
	}
	return all.sums()
}

func (s *junitSuite) sums() (tests, failures, skipped int, err error) {
	if len(s.Other)+len(s.Unknown) > 0 || s.Name == "" {
		return 0, 0, 0, fmt.Errorf("%s %q has %v and %v", s.XMLName.Local, s.Name, s.Other, s.Unknown)
	}
	for i := range s.Suites {
		t, f, k, err := s.Suites[i].sums()
		if err != nil {
			return 0, 0, 0, err
		}
		tests, failures, skipped = tests+t, failures+f, skipped+k
	}
	for _, c := range s.Cases {
		if c.Class == "" || c.Name == "" || len(c.Other)+len(c.Unknown) > 0 || len(c.Failure)+len(c.Skipped) > 1 {
			return 0, 0, 0, fmt.Errorf("a case that no CI knows: %+v", c)
		}
		for _, why := range slices.Concat(c.Failure, c.Skipped) {
			if why.Message == "" {
				return 0, 0, 0, fmt.Errorf("no message: %+v", c)
			}
		}
		tests, failures, skipped = tests+1, failures+len(c.Failure), skipped+len(c.Skipped)
	}
	if tests != s.Tests || failures != s.Failures || skipped != s.Skipped {
		return 0, 0, 0, fmt.Errorf("%s says %d, %d, %d, and has %d tests, %d failed, %d skipped", s.Name, s.Tests, s.Failures, s.Skipped, tests, failures, skipped)
	}
	return tests, failures, skipped, nil
}
