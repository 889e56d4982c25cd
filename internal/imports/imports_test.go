// Package imports holds no code, only the test of who may import whom.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ext4dio/ext4dio-trace"

// rule says what one of our packages may import besides the standard library.
type rule struct {
	ours   string // space separated
	others string // prefixes of import paths
}

// The arrows of the design: data flows one way, the model knows nothing of us,
// and each big dependency is known to one package only.
var rules = map[string]rule{
	"record":                        {},
	"userspace-model":               {},
	"decode":                        {ours: "record userspace-model"},
	"probes":                        {ours: "record", others: "github.com/cilium/ebpf golang.org/x/sys"},
	"export":                        {ours: "decode userspace-model record", others: "golang.org/x/sys"},
	"tracefile":                     {ours: "record", others: "github.com/klauspost/compress"},
	"tracefile/tracetest":           {ours: "record"},
	"ext4fs":                        {},
	"tui":                           {ours: "explain tally export decode userspace-model record", others: "charm.land github.com/charmbracelet/x github.com/charmbracelet/colorprofile"},
	"tally":                         {ours: "export decode userspace-model record"},
	"rowfilter":                     {ours: "export decode record"},
	"explain":                       {ours: "export decode userspace-model record"},
	"userspace-model/internal/walk": {},
	"races":                         {ours: "userspace-model"},
	"workload":                      {others: "golang.org/x/sys"},
	"validate":                      {ours: "validate/shadow workload decode userspace-model record", others: "golang.org/x/sys"},
	"kernelvm":                      {others: "golang.org/x/sys golang.org/x/term github.com/ulikunitz/xz github.com/klauspost/compress"},
	"cmd/ext4dio-trace":             {ours: "*", others: "github.com/spf13/cobra github.com/spf13/pflag golang.org/x/sys golang.org/x/term github.com/charmbracelet/colorprofile github.com/moby/sys/mountinfo"},
	"matrix":                        {},
	"export/exporttest":             {ours: "export decode userspace-model record"},
	"export/parquet":                {ours: "export decode userspace-model record", others: "github.com/klauspost/compress"},
	"export/perfetto":               {ours: "export decode userspace-model record"},
	"export/xfsio":                  {ours: "export workload/xfsio decode userspace-model record"},
	"export/fio":                    {ours: "export decode userspace-model record"},
	"workload/xfsio":                {},
	"report":                        {ours: "explain export export/xfsio decode userspace-model record", others: "github.com/klauspost/compress"},
	"internal/imports":              {},
	"internal/mutate":               {},
	"internal/benchcmp":             {},
	"internal/ansisvg":              {others: "github.com/charmbracelet/x"},
	"validate/scenarios":            {},
	"validate/random":               {ours: "validate validate/shadow workload workload/xfsio decode userspace-model record", others: "golang.org/x/sys"},
	"validate/shadow":               {},
	"validate/series":               {ours: "decode userspace-model record"},
	"validate/outcome":              {ours: "validate validate/random validate/series validate/storm explain export decode userspace-model record"},
	"validate/target":               {ours: "ext4fs", others: "golang.org/x/sys"},
	"bench":                         {ours: "workload", others: "golang.org/x/sys"},
	"bench/cost":                    {ours: "workload", others: "golang.org/x/sys"},
	"validate/storm":                {ours: "validate workload decode userspace-model record", others: "golang.org/x/sys"},
	"whatif":                        {ours: "decode userspace-model record"},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []pkg {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestImports(t *testing.T) {
	seen := 0
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		r, ok := rules[name]
		if !ok {
			t.Errorf("package %s has no rule: add one to this test", name)
			continue
		}
		seen++
		for _, imp := range p.Imports {
			if !r.allows(imp) {
				t.Errorf("%s must not import %s", name, imp)
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

func (r rule) allows(imp string) bool {
	if ours, ok := strings.CutPrefix(imp, module+"/"); ok {
		return r.ours == "*" || slices.Contains(strings.Fields(r.ours), ours)
	}
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		return true // standard library
	}
	for _, prefix := range strings.Fields(r.others) {
		if imp == prefix || strings.HasPrefix(imp, prefix+"/") {
			return true
		}
	}
	return false
}

// The model has no clock, no input or output, no unsafe.
func TestModelIsPure(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != module+"/userspace-model" {
			continue
		}
		for _, imp := range p.Imports {
			if slices.Contains([]string{"os", "io", "time", "net", "unsafe", "syscall", "math/rand", "sync"}, imp) {
				t.Errorf("userspace-model must not import %s", imp)
			}
		}
		return
	}
	t.Error("userspace-model not found")
}

func TestAllows(t *testing.T) {
	r := rule{ours: "record", others: "golang.org/x/sys"}
	for imp, want := range map[string]bool{
		"fmt":                    true,
		"golang.org/x/sys/unix":  true,
		"golang.org/x/system":    false,
		"github.com/spf13/cobra": false,
		module + "/record":       true,
		module + "/decode":       false,
		module + "/recordings":   false,
	} {
		if r.allows(imp) != want {
			t.Errorf("allows(%s) = %v", imp, !want)
		}
	}
}
