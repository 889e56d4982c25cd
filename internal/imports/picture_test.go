package imports

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

const (
	contributing = "../../docs/contributing.md"
	root         = "../.."
)

//go:generate go test -count=1 . -run Picture -update

// TestPicture: the drawing in docs/contributing.md has every group in the order of the
// flow, with its folders, and with that every folder of the root.
func TestPicture(t *testing.T) {
	var b strings.Builder
	b.WriteString("```text\n")
	line(&b, "kernel", "bpf/", "programs in the kernel: they make the records")
	drawn := map[string]bool{"bpf": true, "docs": true, "scripts": true, "testdata": true}
	for _, g := range append(slices.Clone(flow), tools) {
		if g.name != tools.name {
			b.WriteString("   ↓\n")
		}
		line(&b, g.name, folders(g), g.what)
		for name := range g.packages {
			drawn[top(name)] = true
		}
	}
	line(&b, "beside", "docs/ scripts/ testdata/", "no Go")
	b.WriteString("```\n")
	testkit.Section(t, contributing, "The flow, from the kernel down to the screen:\n", b.String())
	for _, name := range rootFolders(t) {
		if !drawn[name] {
			t.Errorf("the picture has no folder %s: name it in a group or beside it", name)
		}
	}
}

// TestRoot: the table of docs/contributing.md has every folder of the root.
func TestRoot(t *testing.T) {
	text, err := os.ReadFile(contributing)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| folder | what is in it |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var listed []string
	for row := range strings.Lines(table) {
		name, _, _ := strings.Cut(strings.TrimPrefix(row, "| `"), "/`")
		listed = append(listed, name)
	}
	if want := rootFolders(t); !slices.Equal(listed, want) {
		t.Errorf("the table of docs/contributing.md has %v, the root %v", listed, want)
	}
}

func line(b *strings.Builder, name, folders, what string) {
	fmt.Fprintf(b, "%-21s %-31s %s\n", name, folders, what)
}

// folders are those of the root in which a group has most of the packages, and its
// single packages in others.
func folders(g group) string {
	has := map[string]int{}
	for name := range g.packages {
		has[top(name)]++
	}
	var out []string
	for name := range g.packages {
		if most(top(name)) == has[top(name)] {
			name = top(name)
		} else if _, inside := g.packages[path.Dir(name)]; inside {
			continue // its folder stands for it
		}
		out = append(out, name+"/")
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

// most is the number of packages that the group with the most has in a folder of the root.
func most(folder string) int {
	out := 0
	for _, g := range append(slices.Clone(flow), tools) {
		n := 0
		for name := range g.packages {
			if top(name) == folder {
				n++
			}
		}
		out = max(out, n)
	}
	return out
}

func top(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

// rootFolders are the folders of the root but those that .gitignore names.
func rootFolders(t *testing.T) []string {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile(path.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		kept := !slices.Contains(strings.Fields(string(ignored)), "/"+e.Name()+"/")
		if e.IsDir() && kept && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	return out
}
