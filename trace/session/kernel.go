// Package session traces: it attaches the probes, empties the ring buffer in time, judges
// what comes, and hands it to a sink and to a recording. A recording takes the place of
// the kernel as well. It knows no flags and no terminal.
package session

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/internal/smallpages"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Seen takes a judged write. Both are valid during the call only.
type Seen = func(*observe.Observation, *judge.Verdict)

// Kernel is what is traced: what it offers, and which probes see it.
type Kernel struct {
	Facts *probes.Facts
	Plan  *probes.Plan
	// Settled is what all writes of a recording tell of its variant; nil: they were not
	// looked at.
	Settled *judge.Detector
	// Held takes everybody else who held i_rwsem, as judge.Options.Held; nil for nothing.
	Held func(*observe.Hold)
}

// Capture is a kernel whose probes are attached: a Source. The caller closes it.
type Capture struct {
	Kernel
	*probes.Session
}

// traceGC is how much the heap may grow between two collections while tracing, percent.
const traceGC = 25

// Attach looks at the running kernel, plans the probes and attaches them. The errors are
// those of package probes.
func Attach(o probes.Options) (*Capture, error) {
	// Who is traced needs the memory more than we the time of the collector.
	debug.SetGCPercent(traceGC)
	k, err := Plan(o)
	if err != nil {
		return nil, err
	}
	s, err := probes.Attach(k.Facts, k.Plan, o)
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory() // to attach took memory, while the collector was not running
	smallpages.Ask()
	return &Capture{k, s}, nil
}

// Plan looks at the running kernel and plans the probes without attaching them. What was
// found out is returned with the error, too.
func Plan(o probes.Options) (k Kernel, err error) {
	if k.Facts, err = probes.ReadFacts(); err == nil {
		k.Plan, err = probes.MakePlan(k.Facts, o)
	}
	return k, err
}

// Recorded is what a trace says of the kernel and of its probes. A trace that says nothing
// is one of a kernel of which nothing is known. The error is one of usage: this is no trace.
func Recorded(info *tracefile.Info) (Kernel, error) {
	k := Kernel{Facts: &probes.Facts{}, Plan: &probes.Plan{}}
	for _, part := range []struct {
		what string
		raw  json.RawMessage
		to   any
	}{{"kernel", info.Facts, k.Facts}, {"probes", info.Plan, k.Plan}} {
		if len(part.raw) == 0 {
			continue
		}
		if err := json.Unmarshal(part.raw, part.to); err != nil {
			return k, hint.Usagef("", "%v: what it says of the %s: %v", tracefile.ErrFormat, part.what, err)
		}
	}
	k.Facts.Release = cmp.Or(k.Facts.Release, info.Release)
	return k, nil
}

// Judge makes a judge that hands every judged write to seen. The variant is empty, auto or
// the name of one, the error one of the name; doubt is judge.Options.Doubt.
func (k *Kernel) Judge(variant string, doubt func(from, to uint64) bool, seen Seen) (*judge.Judge, error) {
	o := judge.Options{
		Evidence: k.Evidence(), Detector: k.Settled, Unprobed: k.Plan.Unattached, Doubt: doubt,
		Seen: seen, Held: k.Held, Holders: k.Holders(), Sampled: k.Plan.Sample.OneIn > 0,
	}
	if variant != "" && variant != "auto" {
		v, err := model.ParseVariant(variant)
		if err != nil {
			return nil, err
		}
		o.Variant = v
	}
	return judge.New(o), nil
}

// Holders reports whether holders of i_rwsem are recorded that make no recorded writes.
func (k *Kernel) Holders() bool { return k.Plan.Holders != "" && k.Plan.Holders != probes.HoldersOff }

// StartLine is the first line of what is told of the kernel as JSON, when it is judged by a
// variant as Judge does; start is when tracing began, ns of CLOCK_MONOTONIC.
func (k *Kernel) StartLine(variant string, start uint64) (export.StartLine, error) {
	j, err := k.Judge(variant, nil, nil)
	if err != nil {
		return export.StartLine{}, err
	}
	d := j.Detector()
	return export.StartLine{Kernel: k.Facts.Release, Variant: variantText(d), Provisional: d.Provisional(), StartNs: start}, nil
}

// Maker makes rows of what the probes see, with the names of files from names, and with marks
// where names knows them, as a recording does; nil for none.
func (k *Kernel) Maker(names export.Names) export.Maker {
	marks, _ := names.(export.Marks)
	return export.Maker{
		Names:    names,
		Marks:    marks,
		NoWaits:  k.Plan.Unattached.Has(record.StageWait),
		NoSleeps: k.Plan.Unattached.Has(record.StageSleep),
	}
}

// Evidence is what the symbols and types of the kernel tell of its variant.
func (k *Kernel) Evidence() model.Evidence {
	f := k.Facts
	var e model.Evidence
	if f.Ext4 != "" {
		has := func(name string) model.Answer {
			fn := f.Funcs[name]
			return model.AnswerOf(fn.Symbol || fn.Suffix || fn.BTF)
		}
		e.OverwriteBegin, e.IomapNext = has("ext4_iomap_overwrite_begin"), has("ext4_iomap_next")
	}
	if f.BTF {
		e.IovMember = model.AnswerOf(f.Members["iov_iter.iov"])
	}
	return e
}

// Attached counts the probes that are attached and names the functions of the others.
func (k *Kernel) Attached() (n int, missing []string) {
	for i := range k.Plan.Probes {
		if p := &k.Plan.Probes[i]; p.Attached() {
			n++
		} else {
			missing = append(missing, p.Func)
		}
	}
	return n, missing
}

// Banner names the kernel's release and the number of probes; doing is a verb.
func (k *Kernel) Banner(doing string) string {
	n, missing := k.Attached()
	text := fmt.Sprintf("%s ext4 direct writes on Linux %s: %d probes (%s)", doing, k.Facts.Release, n, k.Plan.Mode)
	if len(missing) > 0 {
		text += ", without " + strings.Join(missing, ", ")
	}
	if s := k.Plan.Sample; s.OneIn > 0 {
		text += fmt.Sprintf(", a sample of %v", s)
	}
	return text + pidText(k.Facts.PidNamespace)
}

// pidText says which numbers processes have, where there is more than one.
func pidText(ns *probes.PidNamespace) string {
	if ns == nil {
		return ""
	}
	text := fmt.Sprintf(", pids as in the tracer's pid namespace (it is %d in the first one), and with * as in the first one for processes that have none there", ns.Global)
	if ns.ForeignProc {
		text += "; /proc is that of another pid namespace, so that no stacks of writes that are inside can be shown"
	}
	return text
}

// variantText names the variant that is judged by, and says when it is one of several that
// cannot be told apart yet.
func variantText(d *judge.Detector) string {
	best, others := d.Best().String(), d.Candidates()[1:]
	switch len(others) {
	case 0:
		return best
	case 1:
		return best + " or " + others[0].String()
	}
	return fmt.Sprintf("%s or %d others", best, len(others))
}
