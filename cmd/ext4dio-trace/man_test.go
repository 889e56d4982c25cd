package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// manFolder is where make man wants the pages.
var manFolder = flag.String("man", "", "write the man pages into this folder")

// indented is a line of a help text that stands as it is: a list, a table, a command.
var indented = regexp.MustCompile(`(?m)^  \S`)

// manText makes a help text one of Markdown: what is indented stands in a block of code.
func manText(text string) string {
	var out []string
	code := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		is := indented.MatchString(line) || code && strings.HasPrefix(line, "  ")
		if is && !code {
			out = append(out, "")
		}
		if is {
			line = "  " + line
		}
		if code && !is && line != "" {
			out = append(out, "")
		}
		code = is
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// manHeader stands above every page.
var manHeader = doc.GenManHeader{Section: "1", Source: progName, Manual: "User commands"}

// manPages are the pages of all commands, by their file names, made by cobra from the
// texts of --help.
func manPages(t *testing.T) map[string]string {
	t.Helper()
	root := newRootCmd()
	root.DisableAutoGenTag = true
	out := map[string]string{}
	eachCommand(root, func(cmd *cobra.Command) {
		if cmd.Hidden || !cmd.IsAvailableCommand() && cmd != root {
			return
		}
		cmd.Long = manText(cmd.Long)
		header := manHeader
		var page bytes.Buffer
		if err := doc.GenMan(cmd, &header, &page); err != nil {
			t.Fatal(err)
		}
		text := manLayout(page.String())
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden && !strings.Contains(text, "--"+flag.Name+`\fP`) {
				t.Errorf("the page of %s has no --%s", cmd.CommandPath(), flag.Name)
			}
		})
		out[strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"] = text
	})
	return out
}

var (
	manDate  = regexp.MustCompile(`(?m)^(\.TH "[^"]*" "1" )"[^"]*"`)
	manFlag  = regexp.MustCompile(`(?m)^\.PP\n(\\fB-.*)\n\t(.*)$`)
	manFirst = regexp.MustCompile(`(?m)^(\.SH OPTIONS(?: INHERITED FROM PARENT COMMANDS)?\n)(\\fB-.*)\n\t(.*)$`)
	manFalse = strings.NewReplacer("[=false]", "", "[=true]", " (true unless =false)")
	manEmpty = regexp.MustCompile(`\n{2,}`)
	manCode  = regexp.MustCompile(`(?s)\.EX\n.*?\n\.EE`)
)

// manLayout mends what mandoc has to say of the generator's pages: a date that it cannot
// read, tabs in place of paragraphs with a tag, empty lines, and long ones where the text
// flows.
func manLayout(page string) string {
	page = manDate.ReplaceAllString(page, `$1"`+manDay()+`"`)
	page = manFirst.ReplaceAllString(page, "$1.TP\n$2\n$3")
	page = manFalse.Replace(manFlag.ReplaceAllString(page, ".TP\n$1\n$2"))
	code := manCode.FindAllString(page, -1)
	parts := manCode.Split(page, -1)
	var b strings.Builder
	for i, part := range parts {
		part = strings.ReplaceAll(manEmpty.ReplaceAllString(part, "\n"), "…", `\[u2026]`) // which counts as so many bytes
		for line := range strings.Lines(part) {
			b.WriteString(manWrap(strings.TrimSuffix(line, "\n")) + "\n")
		}
		if i < len(code) {
			b.WriteString(code[i])
		}
	}
	return b.String()
}

// manWrap parts a line at spaces, before 80 bytes.
func manWrap(line string) string {
	if strings.HasPrefix(line, ".") {
		return line
	}
	var out []string
	for len(line) > 76 {
		at := strings.LastIndexByte(line[:76], ' ')
		if at <= 0 {
			break
		}
		out = append(out, line[:at])
		line = line[at+1:]
	}
	return strings.Join(append(out, line), "\n")
}

// manDay is the day of SOURCE_DATE_EPOCH, or a fixed one.
func manDay() string {
	at, _ := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64) // 0 without it
	return time.Unix(at, 0).UTC().Format(time.DateOnly)
}

// TestManPages: there is a man page for each command, with each of its flags, and mandoc
// has nothing to say of it.
func TestManPages(t *testing.T) {
	folder := *manFolder
	if folder == "" {
		folder = t.TempDir()
	} else if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for name, page := range manPages(t) {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	if len(paths) < 20 {
		t.Errorf("only %d pages", len(paths))
	}
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Skip("mandoc is not installed (Debian: mandoc), so that nothing checks the pages")
	}
	if text, err := exec.Command(mandoc, append([]string{"-T", "lint"}, paths...)...).CombinedOutput(); err != nil || len(text) > 0 {
		t.Errorf("mandoc: %v\n%s", err, text)
	}
}
