package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// pages are the README and what it leads to, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d pages: %v", len(paths), err)
	}
	out := map[string]string{}
	for _, path := range append(paths, "../../README.md") {
		out[path] = readFile(t, path)
	}
	return out
}

// codeSpan is code inside a line.
var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// commandLines are the lines of code in a page that call this program or make, without
// what follows in a pipe of other programs.
func commandLines(page string) []string {
	var code []string
	for line := range strings.Lines(strings.ReplaceAll(page, "\\\n", " ")) {
		if strings.HasPrefix(line, "    ") {
			code = append(code, strings.TrimSpace(line))
			continue
		}
		for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
			code = append(code, strings.ReplaceAll(m[1], `\|`, "|"))
		}
	}
	var out []string
	for _, line := range code {
		line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ "), " #")
		for _, part := range regexp.MustCompile(`[|;&]+|\bthen `).Split(line, -1) {
			part = strings.TrimSpace(part)
			if strings.HasPrefix(part, progName+" ") || strings.HasPrefix(part, "make ") {
				out = append(out, part)
			}
		}
	}
	return out
}

// shellWords are the words of a command up to where its output goes.
func shellWords(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		word := m[1] + m[2] + m[3]
		if strings.HasPrefix(m[3], ">") {
			break
		}
		out = append(out, word)
	}
	return out
}

// unfinished are the ways in which a text leaves something out of a command.
func unfinished(word string) bool {
	return strings.HasSuffix(word, "…") || strings.HasPrefix(word, "[") || strings.HasPrefix(word, "{")
}

// checkCommand reports what is wrong with the words behind the program's name: no such
// command, no such flag, a value that the flag does not take.
func checkCommand(words []string) error {
	words = slices.DeleteFunc(slices.Clone(words), unfinished)
	root := newRootCmd()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("help")
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if cmd == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return unknownCommand(root, rest)
	}
	if cmd.DisableFlagParsing {
		return nil
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := offeredValues(cmd); err != nil {
		return err
	}
	args := cmd.Flags().Args()
	switch {
	case cmd.Name() == "vm" && len(args) > 0:
		return checkCommand(args)
	case len(args) > 1 && args[0] == progName:
		return checkCommand(args[1:])
	}
	return nil
}

// TestPagesCommands: every command in the pages and in the examples of the help has
// flags that exist, and every target of make does.
func TestPagesCommands(t *testing.T) {
	makefile := readFile(t, "../../Makefile")
	checked := 0
	check := func(where, line string) {
		checked++
		words := shellWords(line)
		if words[0] == progName {
			if err := checkCommand(words[1:]); err != nil {
				t.Errorf("%s: %s: %v", where, line, err)
			}
			return
		}
		if len(words) > 1 && !strings.Contains(makefile, "\n"+words[1]+":") {
			t.Errorf("%s: %s: no such target", where, line)
		}
	}
	for path, page := range pages(t) {
		for _, line := range commandLines(page) {
			check(path, line)
		}
	}
	eachCommand(newRootCmd(), func(cmd *cobra.Command) {
		for _, line := range commandLines(strings.ReplaceAll(cmd.Example, "  "+progName, "    "+progName)) {
			line, _, _ = strings.Cut(line, "   ") // what it does
			check(cmd.CommandPath(), line)
		}
	})
	if checked < 150 {
		t.Errorf("only %d commands", checked)
	}
}

// eachCommand calls f with a command and with all below it.
func eachCommand(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, c := range cmd.Commands() {
		eachCommand(c, f)
	}
}

// TestPagesExplain: what the pages show of explain is what it prints.
func TestPagesExplain(t *testing.T) {
	const prompt = "    $ ext4dio-trace explain "
	shown := 0
	for path, text := range pages(t) {
		for _, block := range strings.Split(text, prompt)[1:] {
			lines := strings.Split(block, "\n")
			var want strings.Builder
			for _, l := range lines[1:] {
				if l != "" && !strings.HasPrefix(l, "    ") {
					break
				}
				want.WriteString(strings.TrimPrefix(l, "    ") + "\n")
			}
			var got bytes.Buffer
			root := newRootCmd()
			root.SetArgs(append([]string{"explain"}, strings.Fields(lines[0])...))
			root.SetOut(&got)
			if err := root.Execute(); err != nil {
				t.Fatalf("explain %s: %v", lines[0], err)
			}
			if strings.TrimSpace(got.String()) != strings.TrimSpace(want.String()) {
				t.Errorf("explain %s prints\n%s\n%s shows\n%s", lines[0], got.String(), path, want.String())
			}
			shown++
		}
	}
	if shown == 0 {
		t.Error("the pages show no explain")
	}
}

// TestFormatsPage: the table of formats in docs/export.md is the list of them.
func TestFormatsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("| --- | --- | --- |\n")
	for _, f := range exportFormats {
		to := "file or `-`"
		if f.To == export.ToFolder {
			to = "folder"
		}
		b.WriteString("| `" + f.Name + "` | " + strings.ReplaceAll(f.Help, "\n", " ") + " | " + to + " |\n")
	}
	testkit.Section(t, "../../docs/export.md", "| `--format` | what it is | `-o` |", b.String())
}

//go:generate go test -count=1 . -run VariantsPage -update

// TestVariantsPage: the README's table of variants is that of the model.
func TestVariantsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("| --- | --- | --- |\n")
	for _, v := range model.Variants() {
		other := "`" + v.Other().String() + "`"
		if v.Other() == v {
			other = "none"
		}
		b.WriteString("| `" + v.String() + "` | " + v.Since() + " | " + other + " |\n")
	}
	testkit.Section(t, "../../README.md", "| `--variant` | since | the screen compares with |", b.String())
}

// TestReadmeLists: the README has a row for each verdict.
func TestReadmeLists(t *testing.T) {
	readme := readFile(t, "../../README.md")
	for _, v := range []judge.Kind{judge.Agree, judge.Slower, judge.Unsafe, judge.Differs, judge.Undecided} {
		if !strings.Contains(readme, "\n| `"+v.String()+"` | ") {
			t.Errorf("the README has no row for %s", v)
		}
	}
}

// TestMutantsPage: the README and docs/verification.md have the figures of the last
// run of make mutants.
func TestMutantsPage(t *testing.T) {
	report, err := os.ReadFile("../../internal/mutate/RESULT.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(\d+) mutants`).FindSubmatch(report)
	if m == nil {
		t.Fatal("internal/mutate/RESULT.md has no number of mutants")
	}
	for _, path := range []string{"../../README.md", "../../docs/verification.md"} {
		if want := string(m[1]) + " small changes"; !strings.Contains(strings.ReplaceAll(readFile(t, path), "\n", " "), want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
}
