package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// free are the flags that take a number, a size, a time, a name or a pattern of the
// user's own: there is nothing to complete.
var free = strings.Fields("append blocksize buffer-align comm disksize extents filter from guess-isize" +
	" isize len limit max-size mem min mkfs module null-blk pos ring sample to")

// free by their types: numbers and times.
var freeTypes = strings.Fields("bool duration int int64 uint uint32 uint64 float64 intSlice count")

// listing is a usage text that lists what a flag takes.
var listing = regexp.MustCompile(`(^|: |some of )[\w.-]+(, [\w.-]+)+ or [\w.-]+|(^|: |some of )[\w.-]+(, [\w.-]+){2}|\b(extents|\w+ \([^)]*\)),? or \w+ \(`)

// eachValueFlag calls f with every flag that takes a value, of every command.
func eachValueFlag(f func(cmd *cobra.Command, flag *pflag.Flag)) {
	eachCommand(newRootCmd(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) { f(cmd, flag) })
	})
}

// TestEveryFlagCompletes: a flag has completions, or is one of those that take anything;
// and no flag that lists its values is.
func TestEveryFlagCompletes(t *testing.T) {
	used := map[string]bool{}
	eachValueFlag(func(cmd *cobra.Command, flag *pflag.Flag) {
		name := commandName(cmd)
		used[flag.Name], used[name+" --"+flag.Name], used[name] = true, true, true
		o, ok := offered(name, flag.Name)
		open := slices.Contains(free, flag.Name) || slices.Contains(freeTypes, flag.Value.Type())
		switch {
		case ok == open:
			t.Errorf("%s --%s: completed: %v, free: %v; name it in offers or in free", name, flag.Name, ok, open)
		case listing.MatchString(flag.Usage) && o.values == nil && !slices.Contains(freeTypes, flag.Value.Type()) && !o.files:
			t.Errorf("%s --%s lists its values (%s) and completes none", name, flag.Name, flag.Usage)
		}
		if _, registered := cmd.GetFlagCompletionFunc(flag.Name); registered != ok {
			t.Errorf("%s --%s: registered: %v", name, flag.Name, registered)
		}
	})
	for name := range offers {
		if !used[name] {
			t.Errorf("no flag %s", name)
		}
	}
	for name := range arguments {
		if !used[name] {
			t.Errorf("no command %s", name)
		}
	}
}

// completed is what a shell is offered for the last word.
func completed(t *testing.T, words ...string) (values []string, directive string) {
	t.Helper()
	var out bytes.Buffer
	root := newRootCmd()
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, words...))
	if err := root.Execute(); err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// TestCompletions: what a shell is offered.
func TestCompletions(t *testing.T) {
	for _, c := range []struct{ words, want, directive string }{
		{"check --variant linux-7.", "linux-7.2 linux-7.3", ":4"},
		{"explain --variant base,patch", "base,patch3 base,patch4", ":4"},
		{"export --format p", "parquet perfetto", ":4"},
		{"bench compare --format ", "text markdown csv svg", ":4"},
		{"validate --config 4k,bigalloc_4", "4k,bigalloc_4k", ":4"},
		{"vm --kernel debian:bookworm/rt", "debian:bookworm/rt-amd64", ":0"},
		{"races --scenario eof", "eof-tail", ":4"},
		{"explain --rule R13", "R13", ":4"},
		{"live --only uns", "unsafe", ":4"},
		{"workload eof", "eof-tail", ":4"},
		{"check ", "", ":0"},
		{"validate --dir ", "", ":16"},
	} {
		words := strings.Split(c.words, " ")
		got, directive := completed(t, words...)
		if text := strings.Join(got, " "); text != c.want || directive != c.directive {
			t.Errorf("%s: offered %q %s, want %q %s", c.words, text, directive, c.want, c.directive)
		}
	}
}

// offeredValues reports a value that was given to a flag of a closed set, and is not
// one of them.
func offeredValues(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		o, ok := offered(commandName(cmd), flag.Name)
		if !ok || o.values == nil {
			return
		}
		values := []string{flag.Value.String()}
		if o.list {
			values = strings.Split(strings.Trim(values[0], "[]"), ",")
		}
		for _, v := range values {
			if v == "NAME" || slices.Contains(o.values(), v) {
				continue
			}
			_, notVariant := model.ParseVariant(v)
			if isVariant := strings.Contains(strings.Join(o.values(), " "), "linux-"); !o.open || isVariant && notVariant != nil {
				err = fmt.Errorf("--%s does not take %q", flag.Name, v)
			}
		}
	})
	return err
}
