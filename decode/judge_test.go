package decode_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestVerdicts runs testdata/verdicts: a record in words, and the verdict.
//
//	judge variant=NAME     one write, judged as that variant
//	auto [evidence=…]      several writes separated by "--", the variant is found
func TestVerdicts(t *testing.T) {
	datadriven.Walk(t, "testdata/verdicts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			opts := judge.Options{Seen: func(_ *observe.Observation, v *judge.Verdict) { b.WriteString(verdictText(v)) }}
			switch d.Cmd {
			case "judge":
				var name string
				d.ScanArgs(t, "variant", &name)
				v, err := model.ParseVariant(name)
				if err != nil {
					t.Fatal(err)
				}
				opts.Variant = v
			case "auto":
				opts.Evidence = evidenceOf(t, d)
			default:
				t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			}
			j := judge.New(opts)
			for _, part := range strings.Split(d.Input, "--\n") {
				for _, raw := range parseScript(t, part).raw() {
					if err := j.Feed(raw); err != nil {
						t.Fatalf("%s: %v", d.Pos, err)
					}
				}
			}
			j.Flush()
			if d.Cmd == "auto" {
				for _, e := range j.Detector().Evidence() {
					b.WriteString("- " + e + "\n")
				}
				b.WriteString("variant " + j.Detector().Best().String() + "\n")
			}
			return b.String()
		})
	})
}

func evidenceOf(t *testing.T, d *datadriven.TestData) model.Evidence {
	var name string
	d.MaybeScanArgs(t, "evidence", &name)
	switch name {
	case "6.1":
		return model.Evidence{OverwriteBegin: model.Yes, IovMember: model.Yes, IomapNext: model.No}
	case "6.12":
		return model.Evidence{OverwriteBegin: model.Yes, IovMember: model.No, IomapNext: model.No}
	case "7.2":
		return model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.No}
	case "7.3":
		return model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.Yes}
	case "":
		return model.Evidence{}
	}
	t.Fatalf("unknown evidence %q", name)
	return model.Evidence{}
}
