// Package doctor tells whether a machine can be traced, and how.
package doctor

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

// Diagnosis is what was found out of a machine.
type Diagnosis struct {
	Facts    *probes.Facts `json:"facts"`
	Plan     *probes.Plan  `json:"plan"`     // null when there can be none
	Variants []string      `json:"variants"` // that the kernel may be
	Evidence []string      `json:"evidence"` // for that
	OK       bool          `json:"ok"`       // it was tried: everything needed could be attached
	Error    string        `json:"error,omitempty"`
	Hint     string        `json:"hint,omitempty"`

	Err error `json:"-"` // why it cannot be traced
}

// Diagnose looks at this machine and tries to attach everything in a way, auto or the name
// of one.
func Diagnose(attach string) *Diagnosis {
	d := &Diagnosis{}
	o := probes.Options{Attach: attach, Budget: true}
	var k session.Kernel
	k, d.Err = session.Plan(o)
	d.Facts, d.Plan = k.Facts, k.Plan
	if d.Facts != nil {
		detector := judge.NewDetector(k.Evidence())
		for _, v := range detector.Candidates() {
			d.Variants = append(d.Variants, v.String())
		}
		d.Evidence = detector.Evidence()
	}
	if d.Err == nil {
		d.Err = try(k, o)
	}
	d.conclude()
	return d
}

// conclude says what Err means.
func (d *Diagnosis) conclude() {
	d.OK = d.Err == nil
	if d.Err != nil {
		d.Error = d.Err.Error()
		var usage *hint.UsageError
		var unfit *hint.UnfitError
		switch {
		case errors.As(d.Err, &usage):
			d.Hint = usage.Hint
		case errors.As(d.Err, &unfit):
			d.Hint = unfit.Hint
		}
	}
}

// try attaches everything and takes it away again.
func try(k session.Kernel, o probes.Options) error {
	s, err := probes.Attach(k.Facts, k.Plan, o)
	if err != nil {
		return err
	}
	return s.Close()
}

// WriteJSON writes it as one JSON object.
func (d *Diagnosis) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// WriteText writes it for people.
func (d *Diagnosis) WriteText(w io.Writer) error {
	var b strings.Builder
	if f := d.Facts; f != nil {
		writeFacts(&b, f)
	}
	if p := d.Plan; p != nil {
		fmt.Fprintf(&b, "attach       %s: %s\n", p.Mode, cmp.Or(p.Why, "chosen for this kernel"))
	}
	if len(d.Variants) > 0 {
		fmt.Fprintf(&b, "variant      %s\n", strings.Join(d.Variants, " or "))
		for _, e := range d.Evidence {
			fmt.Fprintf(&b, "             %s\n", e)
		}
	}
	if d.Plan != nil {
		b.WriteByte('\n')
		writeProbes(&b, d.Plan, d.OK)
	}
	if d.OK {
		b.WriteString("\nThis machine can be traced: ext4dio-trace live\n")
	} else {
		b.WriteString("\nThis machine cannot be traced.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFacts(b *strings.Builder, f *probes.Facts) {
	fmt.Fprintf(b, "kernel       Linux %s %s, %d CPUs, preemption %s\n", f.Release, f.Arch, f.CPUs, cmp.Or(f.Preempt, "not known"))
	fmt.Fprintf(b, "privileges   %s\n", yesOr(f.Root, "root, or CAP_BPF with CAP_PERFMON, is missing"))
	if f.UserNamespace {
		b.WriteString("             in a user namespace, where they do not count\n")
	}
	if ns := f.PidNamespace; ns != nil {
		fmt.Fprintf(b, "pids         of a namespace %d below the first one, in which this process is %d\n", ns.Level, ns.Global)
	}
	fmt.Fprintf(b, "lockdown     %s\n", cmp.Or(f.Lockdown, "not known"))
	fmt.Fprintf(b, "ext4         %s\n", cmp.Or(f.Ext4, "not in this kernel, or its module is not loaded"))
	fmt.Fprintf(b, "BTF          %s\n", yesOr(f.BTF, "no type information of the kernel or of ext4"))
	fmt.Fprintf(b, "kprobes      %s; multi: %s; session: %s\n", yesNo(f.Kprobes), yesNo(f.KprobeMulti), yesNo(f.KprobeSession))
	if f.Members["rw_semaphore.rwbase"] {
		b.WriteString("i_rwsem      as PREEMPT_RT lays it out\n")
	}
}

// writeProbes writes one row a probe: how it is attached, or why not and what is
// then unknown.
func writeProbes(b *strings.Builder, p *probes.Plan, attached bool) {
	how := "PLANNED BY"
	if attached {
		how = "ATTACHED BY"
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROBE\tFUNCTION\t"+how+"\tTELLS")
	for i := range p.Probes {
		probe := &p.Probes[i]
		if probe.Attached() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", probe.Name, probe.Func, probe.How, probe.Tells)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\tno\tNOT KNOWN: %s (%s)\n", probe.Name, probe.Func, probe.Tells, probe.Why)
	}
	// A strings.Builder takes everything.
	_ = w.Flush()
}

func yesOr(ok bool, no string) string {
	if ok {
		return "yes"
	}
	return "no: " + no
}

func yesNo(ok bool) string {
	if ok {
		return "yes"
	}
	return "no"
}
