package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/races"
	"github.com/ext4dio/ext4dio-trace/analyze/whatif"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/probes"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
	"github.com/ext4dio/ext4dio-trace/prove/bench/cost"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/prove/validate"
	"github.com/ext4dio/ext4dio-trace/prove/validate/storm"
	"github.com/ext4dio/ext4dio-trace/prove/validate/target"
	"github.com/ext4dio/ext4dio-trace/trace/mark"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// offer is what a shell completes behind a flag.
type offer struct {
	values func() []string // nil for none
	list   bool            // several, with commas between
	open   bool            // or anything else: a pattern, a path
	files  bool            // or names of files
	folder bool            // names of folders
}

func fixed(values ...string) func() []string { return func() []string { return values } }

// variants are the values of --variant besides those of the command.
func variants(more ...string) func() []string {
	return func() []string { return append(more, model.VariantNames()...) }
}

// offers has every flag that takes a value, by its name, or by its command and name
// where commands differ.
var offers = map[string]offer{
	"variant":   {values: variants("auto"), open: true}, // open: +patchN and -patchN
	"traced":    {values: variants("auto"), open: true},
	"whatif":    {values: func() []string { return append(append(whatif.AppNames(), "all"), model.VariantNames()...) }, open: true},
	"attach":    {values: func() []string { return append([]string{"auto"}, attachWays...) }},
	"holders":   {values: fixed(probes.HoldersWays...)},
	"by":        {values: fixed("mark")},
	"mark-from": {values: fixed(mark.Kmsg), open: true},
	"only":      {values: fixed(onlyWords...), list: true},
	"format":    {values: func() []string { return formatNames(nil) }},
	"cache":     {values: fixed("merged", "cold")},
	"rule":      {values: ruleNames},
	"config":    {values: func() []string { return append(target.ConfigNames(), "all", "help") }, list: true},
	"storms":    {values: func() []string { return append(storm.Names(), noneOf) }, open: true},
	"fault":     {values: faultNames},
	"scenario":  {values: func() []string { return firsts(races.FamilyNames()) }},
	"kernel":    {values: kernelNames, open: true, files: true},
	"matrix":    {values: kernelNames, list: true, open: true, files: true},
	"loads":     {values: cost.LoadNames, list: true},

	"scenarios": {values: scenarioNames, open: true},
	"leave-out": {values: fixed("pid", "dev", "ino"), list: true},

	"bench cost --attach":    {values: fixed(attachWays...), list: true},
	"bench cost --holders":   {values: fixed(probes.HoldersWays...), list: true},
	"bench compare --format": {values: bench.Formats},
	"explain --trace":        {files: true},
	"explain --variant":      {values: variants("all"), list: true, open: true},
	"races --variant":        {values: variants("all"), open: true},
	"races --format":         {values: fixed("both", "extents", "indirect")},
	"whatif --variant":       {values: variants(), open: true},
	"whatif --app":           {values: func() []string { return append(whatif.AppNames(), "all") }, list: true, open: true}, // open: align=SIZE
	"whatif --phase":         {values: fixed("steady", "all"), open: true},

	"output": {files: true}, "summary": {files: true}, "record": {files: true}, "junit": {files: true},
	"redact-key": {files: true}, "image": {files: true}, "console": {files: true}, "script": {files: true}, "expect": {files: true}, "against": {files: true}, "bpftrace": {files: true},
	"bin": {files: true}, "disk": {files: true}, "device": {files: true}, "dev": {files: true}, "path": {files: true}, "cgroup": {files: true},
	"dir": {folder: true}, "other": {folder: true}, "files": {folder: true}, "modules": {folder: true}, "share": {folder: true}, "out": {folder: true}, "emit": {folder: true},
}

// arguments has the commands that take arguments of their own; the others take none or
// another command.
var arguments = map[string]offer{
	"check": {files: true}, "view": {files: true}, "export": {files: true}, "report": {files: true}, "whatif": {files: true}, "coverage": {files: true},
	"bench compare": {files: true}, "explain": {files: true},
	"workload": {values: func() []string { return firsts(workloadNames()) }},
}

// addCompletions gives every command below root its completions.
func addCompletions(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		name := commandName(cmd)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if o, ok := offered(name, f.Name); ok {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, o.complete) // the flag is there
			}
		})
		if o, ok := arguments[name]; ok {
			cmd.ValidArgsFunction = o.complete
		}
		addCompletions(cmd)
	}
}

// commandName is that of a command without the program's.
func commandName(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), progName+" ")
}

// offered is what a flag of a command takes.
func offered(command, flag string) (offer, bool) {
	if o, ok := offers[command+" --"+flag]; ok {
		return o, true
	}
	o, ok := offers[flag]
	return o, ok
}

// complete is a completion function of cobra.
func (o offer) complete(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp
	switch {
	case o.folder:
		return nil, cobra.ShellCompDirectiveFilterDirs
	case o.files:
		directive = cobra.ShellCompDirectiveDefault
	}
	if o.values == nil {
		return nil, directive
	}
	before := ""
	if at := strings.LastIndexByte(begun, ','); o.list && at >= 0 {
		before = begun[:at+1]
	}
	var out []string
	for _, v := range o.values() {
		if v = before + v; strings.HasPrefix(v, begun) {
			out = append(out, v)
		}
	}
	return out, directive
}

// firsts are the names of a list of names and texts.
func firsts(pairs [][2]string) []string {
	var out []string
	for _, p := range pairs {
		out = append(out, p[0])
	}
	return out
}

func ruleNames() []string {
	out := []string{"all"}
	for _, r := range rules.All() {
		out = append(out, r.Set.String())
	}
	return out
}

func faultNames() []string {
	out := []string{"none", "all"}
	for _, f := range races.Faults() {
		out = append(out, f.String())
	}
	return out
}

// scenarioNames are the themes and the names of validate's scenarios.
func scenarioNames() []string {
	scenarios, err := validate.Builtin()
	if err != nil {
		return nil
	}
	out := []string{noneOf}
	theme := ""
	for _, sc := range scenarios {
		if sc.Theme != theme {
			theme = sc.Theme
			out = append(out, theme)
		}
	}
	for _, sc := range scenarios {
		out = append(out, sc.Name)
	}
	return out
}

// kernelNames are the names of Debian's kernels: of each suite its usual one, and its
// flavours.
func kernelNames() []string {
	var out []string
	for _, suite := range kernelvm.Suites {
		out = append(out, "debian:"+suite)
		for _, flavour := range kernelvm.Flavours {
			out = append(out, "debian:"+suite+"/"+flavour)
		}
	}
	return out
}
