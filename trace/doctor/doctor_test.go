package doctor

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/probes"
)

// The text says of each probe how it is attached, or what is not known without it.
func TestWriteText(t *testing.T) {
	d := &Diagnosis{
		Facts: &probes.Facts{Release: "7.3.4", Arch: "amd64", CPUs: 2, Ext4: "built in", BTF: true},
		Plan: &probes.Plan{Mode: probes.HowSession, Probes: []probes.PlannedProbe{
			{Name: "entry", Func: "ext4_file_write_iter", How: probes.HowSession, Tells: "position and length"},
			{Name: "drain", Func: "inode_dio_wait", Tells: "whether it waited", Why: "it is inlined"},
		}},
		Variants: []string{"linux-7.3", "base"}, Evidence: []string{"ext4_iomap_next: 7.3 or later"}, OK: true,
	}
	var out bytes.Buffer
	if err := d.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"kernel       Linux 7.3.4 amd64, 2 CPUs, preemption not known\n",
		"privileges   no: root, or CAP_BPF with CAP_PERFMON, is missing\n",
		"attach       session: chosen for this kernel\n",
		"variant      linux-7.3 or base\n             ext4_iomap_next: 7.3 or later\n",
		"PROBE  FUNCTION              ATTACHED BY  TELLS\n",
		"drain  inode_dio_wait        no           NOT KNOWN: whether it waited (it is inlined)\n",
		"This machine can be traced",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	d.OK = false
	out.Reset()
	if err := d.WriteText(&out); err != nil || !strings.Contains(out.String(), "PLANNED BY") || !strings.Contains(out.String(), "cannot be traced") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// What cannot be has its hint, wherever the error comes from.
func TestHint(t *testing.T) {
	for _, err := range []error{&hint.UsageError{Msg: "no", Hint: "type"}, &hint.UnfitError{Msg: "no", Hint: "type"}} {
		d := &Diagnosis{Err: err}
		d.conclude()
		if d.OK || d.Error != "no" || d.Hint != "type" {
			t.Errorf("%T: %+v", err, d)
		}
	}
	d := &Diagnosis{}
	if d.conclude(); !d.OK {
		t.Errorf("%+v", d)
	}
}
