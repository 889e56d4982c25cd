// Package imports holds no code, only the test of who may import whom.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
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

// group is one stage of the way of the data, with its packages.
type group struct {
	name, what string
	packages   map[string]rule
}

// The model knows nothing of us, and each big dependency is known to one package only.
// flow is the way of the data, which imports must not run against: a package may
// import its own group and those before it.
var flow = []group{
	{"capture", "what the kernel did, as records", map[string]rule{
		"record":                    {},
		"probes":                    {ours: "internal/clock internal/hint record", others: "github.com/cilium/ebpf golang.org/x/sys"},
		"trace/tracefile":           {ours: "internal/ext4fs record", others: "github.com/klauspost/compress"},
		"trace/tracefile/tracetest": {ours: "record"},
	}},
	{"truth", "what the kernel should have done, and the comparison", map[string]rule{
		"userspace-model":               {},
		"userspace-model/internal/walk": {},
		"decode":                        {},
		"decode/observe":                {ours: "record userspace-model"},
		"decode/rules":                  {ours: "decode/observe record userspace-model"},
		"decode/overlap":                {ours: "decode/observe decode/rules record"},
		"decode/request":                {ours: "decode/observe record userspace-model"},
		"decode/blame":                  {ours: "decode/observe record"},
		"decode/judge":                  {ours: "decode/blame decode/observe decode/overlap decode/request decode/rules record userspace-model"},
	}},
	{"rows", "one row a write, and the forms in which it leaves", map[string]rule{
		"export":                 {ours: "decode/judge decode/observe decode/overlap decode/request decode/rules export/safe export/schema internal/histogram record userspace-model", others: "golang.org/x/sys"},
		"export/safe":            {},
		"export/schema":          {},
		"export/rowfilter":       {ours: "decode/judge decode/observe export export/schema record"},
		"export/tally":           {ours: "decode/judge decode/observe export internal/histogram record userspace-model"},
		"export/exporttest":      {ours: "decode/judge decode/observe decode/rules export export/schema record userspace-model"},
		"export/parquet":         {ours: "export export/safe export/schema", others: "github.com/klauspost/compress github.com/parquet-go/parquet-go/encoding/thrift"},
		"export/xfsio":           {ours: "decode/observe export prove/workload/fstests prove/workload/xfsio record userspace-model"},
		"export/*":               {ours: "decode/judge decode/observe export export/safe export/schema record userspace-model"}, // other formats
		"prove/workload/xfsio":   {},
		"prove/workload/fstests": {},
	}},
	{"session", "a kernel or a recording, judged in rows", map[string]rule{
		"trace/mark":    {ours: "internal/hint trace/tracefile", others: "golang.org/x/sys"},
		"trace/tracee":  {},
		"trace/redact":  {ours: "decode/observe export internal/ext4fs record trace/tracefile"},
		"trace/session": {ours: "decode/blame decode/judge decode/observe export internal/clock internal/ext4fs internal/hint internal/smallpages probes record trace/tracee trace/tracefile userspace-model", others: "golang.org/x/sys"},
		"trace/replay":  {ours: "decode/judge decode/observe export record trace/session trace/tracefile userspace-model"},
		"trace/doctor":  {ours: "decode/judge internal/hint probes trace/session"},
	}},
	{"answers", "what the rows mean", map[string]rule{
		"analyze/advice":          {ours: "analyze/whatif decode/judge decode/observe export record userspace-model"},
		"analyze/compare":         {ours: "decode/observe export internal/histogram internal/stats internal/table record report userspace-model"},
		"analyze/coverage":        {ours: "analyze/coverage/sketch decode/judge decode/observe decode/rules internal/testreport record userspace-model"},
		"analyze/coverage/page":   {ours: "analyze/coverage report userspace-model"},
		"analyze/coverage/sketch": {ours: "decode/observe record userspace-model", others: "golang.org/x/sys"},
		"analyze/expect":          {ours: "export export/rowfilter internal/histogram userspace-model"},
		"analyze/explain":         {ours: "decode/judge decode/observe export record userspace-model"},
		"analyze/races":           {ours: "userspace-model"},
		"analyze/whatif":          {ours: "decode/observe internal/histogram record userspace-model"},
		"analyze/recorded":        {ours: "analyze/advice analyze/compare analyze/coverage analyze/expect analyze/whatif decode/judge decode/observe decode/rules export internal/hint internal/testreport record report trace/redact trace/replay trace/session trace/tracefile userspace-model"},
		"report":                  {ours: "analyze/explain decode/judge decode/observe export export/tally export/xfsio internal/histogram record userspace-model", others: "github.com/klauspost/compress"},
	}},
	{"proof", "kernels that are tested, and what is needed for it", map[string]rule{
		"prove/workload":          {others: "golang.org/x/sys"},
		"prove/validate":          {ours: "decode/judge decode/observe prove/validate/shadow prove/validate/trial prove/workload record userspace-model", others: "golang.org/x/sys"},
		"prove/validate/random":   {ours: "decode/observe prove/validate/shadow prove/validate/trial prove/workload prove/workload/xfsio record userspace-model", others: "golang.org/x/sys"},
		"prove/validate/shadow":   {},
		"prove/validate/trial":    {ours: "decode/judge decode/observe prove/validate/shadow prove/workload record userspace-model", others: "golang.org/x/sys"},
		"prove/validate/emit":     {ours: "analyze/coverage prove/validate prove/workload prove/workload/fstests prove/workload/xfsio userspace-model", others: "golang.org/x/sys"},
		"prove/validate/series":   {ours: "decode/judge decode/observe record userspace-model"},
		"prove/validate/outcome":  {ours: "analyze/coverage analyze/explain decode/judge export internal/testreport prove/validate prove/validate/random prove/validate/series prove/validate/storm prove/validate/trial record userspace-model"},
		"prove/validate/target":   {ours: "internal/ext4fs internal/hint internal/program prove/workload", others: "golang.org/x/sys"},
		"prove/validate/campaign": {ours: "analyze/coverage record decode/judge decode/observe internal/hint probes prove/validate prove/validate/outcome prove/validate/random prove/validate/series prove/validate/storm prove/validate/target prove/validate/trial prove/workload trace/session userspace-model"},
		"prove/validate/storm":    {ours: "decode/judge decode/observe decode/overlap internal/hint prove/validate/shadow prove/validate/trial prove/workload userspace-model", others: "golang.org/x/sys"},
		"prove/bench":             {ours: "internal/clock internal/stats internal/table prove/workload", others: "golang.org/x/sys"},
		"prove/bench/cost":        {ours: "internal/clock internal/table prove/workload", others: "golang.org/x/sys"},
		"prove/bench/watch":       {ours: "probes prove/bench trace/session"},
		"prove/bench/tracers":     {ours: "internal/clock internal/exit internal/hint probes prove/bench/cost record trace/session", others: "golang.org/x/sys"},
		"prove/kernelvm":          {ours: "export/safe internal/exit internal/ext4fs internal/hint internal/program", others: "golang.org/x/sys golang.org/x/term github.com/ulikunitz/xz github.com/klauspost/compress"},
		"prove/kernelvm/matrix":   {ours: "internal/exit prove/validate/series"},
		"prove/matrix":            {},
	}},
	{"screens and commands", "what a person sees and types", map[string]rule{
		"tui":               {ours: "analyze/explain analyze/whatif decode/judge decode/observe export export/tally record userspace-model", others: "charm.land github.com/charmbracelet/x github.com/charmbracelet/colorprofile"},
		"cmd/ext4dio-trace": {ours: "*", others: "github.com/spf13/cobra github.com/spf13/pflag golang.org/x/sys golang.org/x/term github.com/charmbracelet/colorprofile github.com/moby/sys/mountinfo"},
	}},
}

// tools are ours and of use to any group.
var tools = group{"tools", "what any group may use", map[string]rule{
	"internal/recordgen":  {others: "github.com/cilium/ebpf"},
	"internal/bpfstrip":   {others: "github.com/cilium/ebpf"},
	"internal/clock":      {others: "golang.org/x/sys"},
	"internal/ext4fs":     {},
	"internal/hint":       {},
	"internal/histogram":  {},
	"internal/imports":    {},
	"internal/mutate":     {},
	"internal/benchcmp":   {others: "golang.org/x/perf/benchfmt"},
	"internal/program":    {},
	"internal/pages":      {},
	"internal/smallpages": {},
	"internal/stats":      {others: "gonum.org/v1/gonum"},
	"internal/table":      {},
	"internal/testreport": {},
	"internal/testkit":    {},
	"internal/exit":       {},
}}

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
		r, ok := ruleOf(name)
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

// No rule allows an import that runs against the flow.
func TestFlow(t *testing.T) {
	before := map[string]bool{}
	for name := range tools.packages {
		before[name] = true
	}
	for _, g := range append([]group{tools}, flow...) {
		for name := range g.packages {
			before[name] = true
		}
		for name, r := range g.packages {
			for _, imp := range strings.Fields(r.ours) {
				if imp != "*" && !before[imp] {
					t.Errorf("%s (%s) imports %s, which comes after it", name, g.name, imp)
				}
			}
		}
	}
}

// ruleOf is the rule of a package, or of all others of its folder, and whether it has one.
func ruleOf(name string) (rule, bool) {
	if r, ok := ownRule(name); ok {
		return r, true
	}
	return ownRule(path.Dir(name) + "/*")
}

func ownRule(name string) (rule, bool) {
	for _, g := range append([]group{tools}, flow...) {
		if r, ok := g.packages[name]; ok {
			return r, true
		}
	}
	return rule{}, false
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
