package outcome

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/outfile"
)

// Save writes the report into an empty directory: as text, JSON and JUnit XML, what was
// taken of the kernel's branches as coverage --json has it, the records of the writes that failed as lines of "live --json", and every failure
// with its explanation and its reproducer.
func (o *Outcome) Save(dir string, all bool) error {
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"report.txt", func(w io.Writer) error { return o.WriteText(w, all) }},
		{"report.json", o.WriteJSON},
		{"junit.xml", o.WriteJUnit},
		{"coverage.json", o.writeCoverageJSON},
		{"failures.jsonl", o.writeRecords},
		{"failures.txt", o.writeExplanations},
	} {
		if err := (outfile.Out{Flag: "-o", Path: filepath.Join(dir, f.name)}).Write(f.write); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the report as one JSON object on one line.
func (o *Outcome) WriteJSON(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(o); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (o *Outcome) writeRecords(w io.Writer) error {
	for i := range o.Failures {
		if rec := o.Failures[i].Record; rec != nil {
			if _, err := w.Write(append(rec[:len(rec):len(rec)], '\n')); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Outcome) writeExplanations(w io.Writer) error {
	var b strings.Builder
	for i := range o.Failures {
		f := &o.Failures[i]
		fmt.Fprintf(&b, "%s\n", f.title())
		for _, d := range f.Detail {
			fmt.Fprintf(&b, "  %s\n", d)
		}
		fmt.Fprintf(&b, "\n%s\n%s\n\n", f.Explanation, f.Reproducer)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
