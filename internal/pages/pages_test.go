// Package pages tests the texts of the repository against each other: links between
// pages, citations of docs/kernel.md in code, figures that a report has, too.
package pages

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// kernel is the page that code cites.
const kernel = "docs/kernel.md"

// sources are the names of files that people write, by their ends. Documents of rows
// have no end.
var sources = []string{".go", ".c", ".h", ".md", ".sh", ".txt", ".tmpl", ".bt", "Makefile"}

// texts are the files that people read and write, by their path from the root.
func texts(t *testing.T) map[string]string {
	t.Helper()
	out, err := read()
	if err != nil || len(out) < 500 {
		t.Fatalf("%d texts: %v", len(out), err)
	}
	return out
}

var read = sync.OnceValues(func() (map[string]string, error) {
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if top := name != "." && strings.HasPrefix(name, ".") || name == "bin"; top {
				return fs.SkipDir
			}
			return nil
		}
		source := slices.ContainsFunc(sources, func(end string) bool { return strings.HasSuffix(name, end) })
		if !source && !strings.HasPrefix(name, "userspace-model/testdata/rows/") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		out[name] = string(text)
		return err
	})
	return out, err
})

var (
	fence    = regexp.MustCompile("(?ms)^```.*?^```$")
	heading  = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	tableRow = regexp.MustCompile(`^\| (?:\[|` + "`" + `)?([\w-]+)`)
)

// anchors are the headings of a page, as links name them, each with the names of the rows
// in its tables.
func anchors(page string) map[string][]string {
	out := map[string][]string{}
	at := ""
	for line := range strings.Lines(fence.ReplaceAllString(page, "")) {
		line = strings.TrimSpace(line)
		if m := heading.FindStringSubmatch(line); m != nil {
			at = strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
			out[at] = []string{}
		} else if m := tableRow.FindStringSubmatch(line); m != nil {
			out[at] = append(out[at], m[1])
		}
	}
	return out
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks: every link of a page leads to a file, and to a heading of it.
func TestLinks(t *testing.T) {
	all, checked := texts(t), 0
	for name, text := range all {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			file, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			to := path.Join(path.Dir(name), file)
			if file == "" {
				to = name
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: no file for the link %s", name, m[1])
			} else if anchor != "" && anchors(all[to])[anchor] == nil {
				t.Errorf("%s: no heading for the link %s", name, m[1])
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d links", checked)
	}
}

// TestPagesAreLinked: the README leads to every page.
func TestPagesAreLinked(t *testing.T) {
	all := texts(t)
	for name := range all {
		if path.Dir(name) == "docs" && strings.HasSuffix(name, ".md") && !strings.Contains(all["README.md"], "("+name) {
			t.Errorf("the README has no link to %s", name)
		}
	}
	if n := strings.Count(all["README.md"], "\n"); n > 250 {
		t.Errorf("the README has %d lines, more than 250", n)
	}
}

// citation is a heading of the page in a text, and a row of its table.
var citation = regexp.MustCompile(`kernel\.md#([\w-]+)(?:/([\w-]+))?`)

// covers is the line of a scenario that cites without the page's name.
var covers = regexp.MustCompile(`(?m)^covers (.*)$`)

// TestCitations: whatever cites docs/kernel.md names a heading that it has, and a row of
// that heading's table.
func TestCitations(t *testing.T) {
	all := texts(t)
	has, checked := anchors(all[kernel]), 0
	check := func(name, anchor, row string) {
		checked++
		if rows, ok := has[anchor]; !ok {
			t.Errorf("%s: %s has no heading %s", name, kernel, anchor)
		} else if row != "" && !slices.Contains(rows, row) {
			t.Errorf("%s: %s#%s has no row %s, but %v", name, kernel, anchor, row, rows)
		}
	}
	for name, text := range all {
		if strings.HasPrefix(name, "internal/pages/") {
			continue
		}
		for _, m := range citation.FindAllStringSubmatch(text, -1) {
			check(name, m[1], m[2])
		}
		if path.Dir(name) != "prove/validate/scenarios" || !strings.HasSuffix(name, ".txt") {
			continue
		}
		for _, m := range covers.FindAllStringSubmatch(text, -1) {
			for _, cited := range strings.Fields(m[1]) {
				anchor, row, _ := strings.Cut(cited, "/")
				check(name, anchor, row)
			}
		}
	}
	if checked < 300 {
		t.Errorf("only %d citations", checked)
	}
}

// private are names that only notes outside of the repository explained, and what a text
// has that uses one: looking for words is much faster.
var (
	private = regexp.MustCompile(`kernel[- ]notes|\bthe notes\b|\bK(61|612|72|73)\b|\bB34?\b|\b(SUD|GWC|OVW|FMOD)\b`)
	hints   = []string{"notes", "K6", "K7", "B3", "SUD", "GWC", "OVW", "FMOD"}
)

// TestNoPrivateNames: no text uses a name that its reader cannot look up.
func TestNoPrivateNames(t *testing.T) {
	for name, text := range texts(t) {
		hinted := slices.ContainsFunc(hints, func(word string) bool { return strings.Contains(text, word) })
		if !hinted || strings.HasPrefix(name, "internal/pages/") {
			continue
		}
		shown := 0
		for i, line := range strings.Split(text, "\n") {
			if found := private.FindString(line); found != "" {
				if shown++; shown > 3 {
					break
				}
				t.Errorf("%s:%d: %q: name the kernel, the function, or a heading of %s", name, i+1, found, kernel)
			}
		}
	}
}

// TestPagesBegin: a page says in its first paragraph what the reader gets.
func TestPagesBegin(t *testing.T) {
	for name, text := range texts(t) {
		if path.Dir(name) != "docs" || !strings.HasSuffix(name, ".md") {
			continue
		}
		text = strings.TrimPrefix(text, "<!-- Made from export/fields.go: go test ./export -run Docs -update -->\n\n")
		part := strings.SplitN(text, "\n\n", 3)
		if len(part) < 3 || !strings.HasPrefix(part[0], "# ") || strings.HasPrefix(part[1], "    ") || !strings.HasSuffix(part[1], ".") {
			t.Errorf("%s does not begin with a heading and a sentence", name)
		}
	}
}
