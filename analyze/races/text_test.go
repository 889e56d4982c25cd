package races

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestReports compares printed reports with testdata; -rewrite writes them.
func TestReports(t *testing.T) {
	datadriven.RunTest(t, "testdata/reports", func(t *testing.T, d *datadriven.TestData) string {
		var variant, fault, format, scenario string
		d.ScanArgs(t, "variant", &variant)
		d.ScanArgs(t, "scenario", &scenario)
		d.ScanArgs(t, "format", &format)
		d.MaybeScanArgs(t, "fault", &fault)
		v, err := model.ParseVariant(variant)
		if err != nil {
			t.Fatal(err)
		}
		f := NoFault
		if fault != "" {
			if f, err = ParseFault(fault); err != nil {
				t.Fatal(err)
			}
		}
		fm := Extents
		if format == "indirect" {
			fm = Indirect
		}
		rep := explore(t, Options{Variants: []model.Variant{v}, Faults: []Fault{f}, Formats: []Format{fm}, Scenario: scenario})
		var b strings.Builder
		if err := rep.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	})
}

type fullDisk struct{}

var errFull = errors.New("full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTextError(t *testing.T) {
	if err := (&Report{}).WriteText(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
}

// The JSON names are a contract.
func TestJSON(t *testing.T) {
	rep := explore(t, Options{Variants: []model.Variant{model.Base}, Scenario: "pairs", Formats: []Format{Indirect}})
	b, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"writers":2,"scenario":"pairs","results":[{"variant":"base","fault":"none","format":"indirect","patch2":false,"scenarios":715,"states":`,
		`"findings":[{"class":"lost","scenarios":`, `"steps":[{"who":"A","text":"guess: end `, `"known":{"class":"eof-tail"`,
	} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s is missing from %.300s", want, b)
		}
	}
}
