package probes

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// facts reads what was recorded of a kernel with "doctor --json".
func facts(t *testing.T, name string) *Facts {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../testdata/kernels", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f Facts
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return &f
}

// TestPlan reads testdata/plan: a kernel and what is changed of its facts, then
// the plan for it. Run with -rewrite to renew it, and read the difference.
func TestPlan(t *testing.T) {
	typed := os.Args
	os.Args = []string{"ext4dio-trace", "live"}
	t.Cleanup(func() { os.Args = typed })
	datadriven.RunTest(t, "testdata/plan", func(t *testing.T, d *datadriven.TestData) string {
		var name, attach, holders string
		var budget bool
		d.ScanArgs(t, "kernel", &name)
		f := facts(t, name)
		for _, arg := range d.CmdArgs {
			switch arg.Key {
			case "kernel":
			case "budget": // of functions that every kernel has
				budget = true
				for _, name := range []string{"submit_bio", "iomap_dio_bio_end_io"} {
					f.Funcs[name] = Func{Symbol: true, BTF: true, Params: 1}
				}
			case "attach":
				attach = arg.Vals[0]
			case "holders":
				holders = arg.Vals[0]
			case "lockdown":
				f.Lockdown = arg.Vals[0]
			case "preempt":
				f.Preempt = strings.Join(arg.Vals, "")
			case "without":
				for _, v := range arg.Vals {
					without(t, f, v)
				}
			default:
				d.Fatalf(t, "unknown argument %q", arg.Key)
			}
		}
		p, err := MakePlan(f, Options{Attach: attach, Holders: holders, Budget: budget})
		return describe(p, err)
	})
}

func without(t *testing.T, f *Facts, what string) {
	switch what {
	case "root":
		f.Root = false
	case "first-user-namespace":
		f.UserNamespace = true
	case "sys":
		f.NoSys = true
	case "pid-namespace":
		f.noNamespace = errors.New("load program: not supported")
	case "ext4":
		f.Ext4 = ""
	case "session":
		f.KprobeSession = false
	case "multi":
		f.KprobeMulti, f.KprobeSession = false, false
	case "kprobes":
		f.Kprobes = false
	default:
		fn, ok := f.Funcs[what]
		if !ok {
			t.Fatalf("nothing to take away: %q", what)
		}
		fn.Symbol = false
		f.Funcs[what] = fn
	}
}

func describe(p *Plan, err error) string {
	var b strings.Builder
	var unfit *hint.UnfitError
	var usage *hint.UsageError
	switch {
	case errors.As(err, &unfit):
		fmt.Fprintf(&b, "unfit: %s\nhint: %s\n", unfit.Msg, unfit.Hint)
	case errors.As(err, &usage):
		fmt.Fprintf(&b, "usage: %s\nhint: %s\n", usage.Msg, usage.Hint)
	case err != nil:
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	if p == nil || err != nil {
		return b.String()
	}
	fmt.Fprintf(&b, "%s: %s\n", p.Mode, p.Why)
	for _, pp := range p.Probes {
		how := pp.How
		if how == "" {
			how = "-"
		}
		fmt.Fprintf(&b, "%-27s %-14s %s", pp.Func, how, strings.Join(pp.Programs, " "))
		if pp.Why != "" {
			fmt.Fprintf(&b, " (%s)", pp.Why)
		}
		b.WriteByte('\n')
	}
	if p.Unattached != 0 {
		fmt.Fprintf(&b, "unknown: %s\n", strings.Join(p.Unattached.Names(), " "))
	}
	return b.String()
}

// A number of writes for which there can be no slots is refused before anything is loaded.
func TestInflightOutOfRange(t *testing.T) {
	for _, n := range []int{-1, MaxInflight + 1} {
		spec, err := loadExt4dio()
		if err != nil {
			t.Fatal(err)
		}
		var usage *hint.UsageError
		if err := configure(spec, &Facts{CPUs: 2}, Options{MaxInflight: n}); !errors.As(err, &usage) {
			t.Errorf("%d: %v, want wrong usage", n, err)
		}
	}
	spec, err := loadExt4dio()
	if err != nil {
		t.Fatal(err)
	}
	if err := configure(spec, &Facts{CPUs: 2}, Options{MaxInflight: 5000}); err != nil {
		t.Error(err)
	}
	if n := spec.Maps["slots"].MaxEntries; n != 8192 {
		t.Errorf("%d slots for 5000 writes, want the next power of two", n)
	}
}
