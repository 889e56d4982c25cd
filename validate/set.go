package validate

import (
	"fmt"
	"io"
	"strings"
)

// Set is the outcome of a run over several configurations.
type Set struct {
	Configs []*Report `json:"configs"`
	Passed  int       `json:"passed"`
	Failed  int       `json:"failed"`
	Skipped int       `json:"skipped"`
	// NotPossible counts the configurations that cannot be tested here, and Unclean
	// those after which e2fsck found something wrong.
	NotPossible int `json:"not_possible"`
	Unclean     int `json:"unclean"`
}

// Add takes the report of a configuration, which is not changed afterwards.
func (s *Set) Add(r *Report) {
	s.Configs = append(s.Configs, r)
	s.Passed += r.Passed
	s.Failed += r.Failed
	s.Skipped += r.Skipped
	if r.NotPossible != "" {
		s.NotPossible++
	}
	if r.Fsck != "" {
		s.Unclean++
	}
}

// WriteText writes a section for each configuration, as Report.WriteText does,
// and a table of all.
func (s *Set) WriteText(w io.Writer, all bool) error {
	for _, r := range s.Configs {
		if r.NotPossible != "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "== %s\n", r.Config); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if err := r.WriteText(w, all); err != nil {
			return err
		}
		if r.Fsck == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "e2fsck found errors:\n        %s\n", strings.ReplaceAll(strings.TrimSpace(r.Fsck), "\n", "\n        ")); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return s.writeTable(w)
}

func (s *Set) writeTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-15s %7s %7s %7s  %s\n", "configuration", "passed", "failed", "skipped", "e2fsck")
	for _, r := range s.Configs {
		if r.NotPossible != "" {
			fmt.Fprintf(&b, "%-15s not possible: %s\n", r.Config, r.NotPossible)
			continue
		}
		fsck := "clean"
		if r.Fsck != "" {
			fsck = "ERRORS"
		}
		fmt.Fprintf(&b, "%-15s %7d %7d %7d  %s\n", r.Config, r.Passed, r.Failed, r.Skipped, fsck)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
