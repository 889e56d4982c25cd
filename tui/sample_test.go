package tui

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
)

// TestSampleShown: of a sample the first line says that it is one; otherwise it does not.
func TestSampleShown(t *testing.T) {
	m := newModel(nil, Options{Kernel: "7.3"})
	if got := m.statePart().text; got != "" {
		t.Errorf("the state is %q", got)
	}
	m.now.Summary.Sample = record.Sample{OneIn: 64, Seed: 7}
	m.now.Recording = true
	if got := m.statePart().text; got != "REC SAMPLE 1/64" {
		t.Errorf("the state is %q", got)
	}
	if line := m.kernelLine(); !strings.Contains(line, "SAMPLE 1/64") {
		t.Errorf("the line is %q", line)
	}
}
