package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

// TestReadmeExplain: what the README shows of explain is what it prints.
func TestReadmeExplain(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const prompt = "    $ ext4dio-trace explain "
	shown := 0
	for _, block := range strings.Split(string(text), prompt)[1:] {
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
			t.Errorf("explain %s prints\n%s\nthe README shows\n%s", lines[0], got.String(), want.String())
		}
		shown++
	}
	if shown == 0 {
		t.Error("the README shows no explain")
	}
}

// TestReadmeFormats: the README's table of formats is the list of them.
func TestReadmeFormats(t *testing.T) {
	var b strings.Builder
	b.WriteString("| --- | --- | --- |\n")
	for _, f := range exportFormats {
		to := "file or `-`"
		if f.To == export.ToFolder {
			to = "folder"
		}
		b.WriteString("| `" + f.Name + "` | " + strings.ReplaceAll(f.Help, "\n", " ") + " | " + to + " |\n")
	}
	testkit.Section(t, "../../README.md", "| `--format` | what it is | `-o` |", b.String())
}
