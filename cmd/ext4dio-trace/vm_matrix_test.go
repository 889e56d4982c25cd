package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestMatrixPassesFlagsOn(t *testing.T) {
	v := &vmFlags{matrix: "a,b", jobs: 3}
	fl := pflag.NewFlagSet("vm", pflag.ContinueOnError)
	fl.StringVar(&v.matrix, "matrix", "", "")
	fl.IntVar(&v.jobs, "jobs", 0, "")
	fl.String("mem", "", "")
	fl.String("out", "", "")
	fl.StringArray("bin", nil, "")
	if err := fl.Parse([]string{"--matrix", "a,b", "--mem", "2G", "--out", "o", "--bin", "/x,y", "--bin", "/z"}); err != nil {
		t.Fatal(err)
	}
	m, err := newMatrix(v, fl, []string{"validate", "--dir", "/mnt"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.Flags, " "); got != "--bin=/x,y --bin=/z --mem=2G" || m.OutDir != "o" {
		t.Errorf("flags %q, out %q", got, m.OutDir)
	}
	if got := strings.Join(m.Args, " "); got != "validate --dir /mnt --json" {
		t.Errorf("arguments %q", got)
	}
	for name, args := range map[string][]string{"nothing": nil, "another command": {"live"}} {
		if _, err := newMatrix(v, fl, args); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
