// Package testreport writes what came of test cases in the two forms that CI systems of kernels
// read: KTAP version 1 (Documentation/dev-tools/ktap.rst) and JUnit XML.
package testreport

import "time"

// Report is a run: suites of test cases.
type Report struct {
	Name    string
	Started time.Time // zero: not known
	Seconds float64   // 0: not known
	Suites  []Suite
}

// Suite are test cases that belong together.
type Suite struct {
	Name  string
	Notes []string // what has to be known of all cases, a line each
	Cases []Case
}

// Case is one test and what came of it: it passed unless Failed or Skipped says why not.
type Case struct {
	Class, Name string
	Failed      string // why
	Skipped     string // why
	Detail      string // more about a failure, in lines
	Note        string // what has to be known of it whatever came of it
}

// Add adds a suite, unless it is empty.
func (r *Report) Add(s Suite) {
	if len(s.Cases) > 0 {
		r.Suites = append(r.Suites, s)
	}
}

// Check adds a case that fails when why says so.
func (s *Suite) Check(class, name, why string) {
	s.Cases = append(s.Cases, Case{Class: class, Name: name, Failed: why})
}

// counts are the failed and skipped cases of a suite.
func (s *Suite) counts() (failed, skipped int) {
	for i := range s.Cases {
		switch c := &s.Cases[i]; {
		case c.Failed != "":
			failed++
		case c.Skipped != "":
			skipped++
		}
	}
	return failed, skipped
}

// OrNothing is r, with a test that fails because of why where r has none: a run of no tests
// would be taken for one without failures.
func (r *Report) OrNothing(name, why string) *Report {
	if len(r.Suites) == 0 {
		r.Add(Suite{Name: name, Cases: []Case{{Class: name, Name: "there is something to test", Failed: why}}})
	}
	return r
}
