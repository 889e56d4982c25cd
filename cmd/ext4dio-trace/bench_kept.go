package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// keptFlags say in which form measurements are shown, and where they are kept.
type keptFlags struct {
	json bool
	out  string // a file of JSON, too; empty: none
}

// check makes sure that the file can be written before anything is measured.
func (f keptFlags) check() error {
	if f.out == "" {
		return nil
	}
	file, err := os.OpenFile(f.out, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return usagef("", "-o: %v", err)
	}
	return file.Close()
}

// show writes reports to w, and keeps them in the file.
func show[R interface{ Text(io.Writer) error }](f keptFlags, w io.Writer, all []R) error {
	var lines, text bytes.Buffer
	for i, rep := range all {
		if i > 0 {
			text.WriteByte('\n')
		}
		if err := writeJSON(&lines, rep); err != nil {
			return err
		}
		if err := rep.Text(&text); err != nil {
			return err
		}
	}
	if f.out != "" {
		if err := os.WriteFile(f.out, lines.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	shown := &text
	if f.json {
		shown = &lines
	}
	if _, err := shown.WriteTo(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
