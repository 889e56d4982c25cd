package testreport

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The elements of JUnit XML, as far as CI systems read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr,omitempty"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Timestamp string      `xml:"timestamp,attr,omitempty"`
		Cases     []junitCase `xml:"testcase"`
		Notes     string      `xml:"system-out,omitempty"`
	}
	junitCase struct {
		Class   string    `xml:"classname,attr"`
		Name    string    `xml:"name,attr"`
		Failure *junitWhy `xml:"failure,omitempty"`
		Skipped *junitWhy `xml:"skipped,omitempty"`
		Note    string    `xml:"system-out,omitempty"`
	}
	junitWhy struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit XML.
func (r *Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: printable(r.Name)}
	stamp := ""
	if !r.Started.IsZero() {
		stamp = r.Started.UTC().Format("2006-01-02T15:04:05")
	}
	if r.Seconds > 0 {
		all.Time = fmt.Sprintf("%.3f", r.Seconds)
	}
	for i := range r.Suites {
		s := &r.Suites[i]
		failed, skipped := s.counts()
		out := junitSuite{Name: printable(s.Name), Timestamp: stamp, Tests: len(s.Cases), Failures: failed, Skipped: skipped, Notes: printable(strings.Join(s.Notes, "\n"))}
		for k := range s.Cases {
			out.Cases = append(out.Cases, s.Cases[k].junit())
		}
		all.Suites = append(all.Suites, out)
		all.Tests += out.Tests
		all.Failures += failed
		all.Skipped += skipped
	}
	text, err := xml.MarshalIndent(&all, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	}
	if err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	return nil
}

func (c *Case) junit() junitCase {
	out := junitCase{Class: printable(c.Class), Name: printable(c.Name), Note: printable(c.Note)}
	switch {
	case c.Failed != "":
		out.Failure = &junitWhy{Message: printable(c.Failed), Text: printable(c.Detail)}
	case c.Skipped != "":
		out.Skipped = &junitWhy{Message: printable(c.Skipped)}
	}
	return out
}

// printable leaves out what neither XML nor a terminal can hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
