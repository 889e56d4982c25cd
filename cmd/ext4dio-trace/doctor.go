package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
)

// diagnosis is what doctor found out.
type diagnosis struct {
	Facts    *probes.Facts `json:"facts"`
	Plan     *probes.Plan  `json:"plan"`     // null when there can be none
	Variants []string      `json:"variants"` // that the kernel may be
	Evidence []string      `json:"evidence"` // for that
	OK       bool          `json:"ok"`       // it was tried: everything needed could be attached
	Error    string        `json:"error,omitempty"`
	Hint     string        `json:"hint,omitempty"`

	err error
}

func newDoctorCmd() *cobra.Command {
	var asJSON bool
	var attach string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "tell whether this machine can be traced, and how",
		Long: `Tell what this kernel offers, how each probe is attached or why it is not, and
which variant of ext4's logic the kernel holds. Everything is attached for a
moment to see that it works. Exit status 3 means that it does not; the last
line then says what to type instead.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(os.Stdout, attach, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().StringVar(&attach, "attach", "auto", "how to attach: auto, session, multi, fentry or kprobe")
	return cmd
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(cmd.CommandPath()+" --help", "unexpected argument %q", args[0])
	}
	return nil
}

func runDoctor(out io.Writer, attach string, asJSON bool) error {
	d := diagnose(attach)
	var usage *hint.UsageError
	if errors.As(d.err, &usage) {
		return d.err
	}
	write := d.writeText
	if asJSON {
		write = d.writeJSON
	}
	if err := write(out); err != nil && !isClosedPipe(err) {
		return fmt.Errorf("write diagnosis: %w", err)
	}
	return d.err
}

// diagnose looks at this machine and tries to attach everything.
func diagnose(attach string) *diagnosis {
	d := &diagnosis{}
	if d.Facts, d.err = probes.ReadFacts(); d.err == nil {
		d.Variants, d.Evidence = staticVariants(d.Facts)
		o := probes.Options{Attach: attach}
		if d.Plan, d.err = probes.MakePlan(d.Facts, o); d.err == nil {
			d.err = tryPlan(d.Facts, d.Plan, o)
		}
	}
	d.OK = d.err == nil
	if d.err != nil {
		e := asExit(d.err)
		d.Error, d.Hint = e.msg, e.hint
	}
	return d
}

// tryPlan attaches everything and takes it away again.
func tryPlan(f *probes.Facts, p *probes.Plan, o probes.Options) error {
	session, err := probes.Attach(f, p, o)
	if err != nil {
		return err
	}
	return session.Close()
}

func (d *diagnosis) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func (d *diagnosis) writeText(w io.Writer) error {
	var b strings.Builder
	if f := d.Facts; f != nil {
		writeFacts(&b, f)
	}
	if p := d.Plan; p != nil {
		fmt.Fprintf(&b, "attach       %s: %s\n", p.Mode, orNone(p.Why, "chosen for this kernel"))
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
	fmt.Fprintf(b, "kernel       Linux %s %s, %d CPUs, preemption %s\n", f.Release, f.Arch, f.CPUs, orNone(f.Preempt, "not known"))
	fmt.Fprintf(b, "privileges   %s\n", yesOr(f.Root, "root, or CAP_BPF with CAP_PERFMON, is missing"))
	fmt.Fprintf(b, "lockdown     %s\n", orNone(f.Lockdown, "not known"))
	fmt.Fprintf(b, "ext4         %s\n", orNone(f.Ext4, "not in this kernel, or its module is not loaded"))
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

func orNone(s, none string) string {
	if s == "" {
		return none
	}
	return s
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
