package pages

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// condition is a row of the table in docs/verification.md: a condition in C, its function
// and line in fs/ext4/file.c (or inode.c, where the row says so), and the function of the
// model, in file7.go unless the row names another file.
var condition = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]* \\| `(\\w+)`, (\\d+)(?: of (\\w+\\.c))? \\| `(\\w+)`(?: in (\\w+\\.go))? \\|$")

// place is a row of docs/kernel.md#places-in-the-source: a function, its file, and its
// line in 7.3.
var place = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| fs/ext4/(\\w+\\.c) \\|.*\\| (\\d+) \\|$")

// TestConditions: every condition of the table stands as a comment in the function of
// the model that it names and in no other function of that file, and its line is in the
// function of the kernel.
func TestConditions(t *testing.T) {
	all := texts(t)
	begins := map[string]int{}
	for _, m := range place.FindAllStringSubmatch(all[kernel], -1) {
		begins[m[2]+" "+m[1]], _ = strconv.Atoi(m[3])
	}
	rows := condition.FindAllStringSubmatch(strings.ReplaceAll(all["docs/verification.md"], `\|`, "¦"), -1)
	if len(rows) < 10 {
		t.Errorf("docs/verification.md has %d conditions, want 10", len(rows))
	}
	for _, m := range rows {
		text, function, line, source, name, file := strings.ReplaceAll(m[1], "¦", "|"), m[2], m[3], m[4], m[5], m[6]
		if source == "" {
			source = "file.c"
		}
		if file == "" {
			file = "file7.go"
		}
		if got := functions(all["userspace-model/"+file], text); len(got) != 1 || got[0] != name {
			t.Errorf("%s: comments with %s are in the functions %q, want %s only", file, text, got, name)
		}
		begin := begins[source+" "+function]
		if at, _ := strconv.Atoi(line); begin == 0 || at < begin || at > begin+130 {
			t.Errorf("%s begins in line %d of fs/ext4/%s, and has no line %s", function, begin, source, line)
		}
	}
}

// function is the first line of a function or method, and its name.
var function = regexp.MustCompile(`(?m)^func (?:\(.+?\) )?(\w+)\(`)

// functions are the functions of a Go file with a comment that has the text: inside, or
// above it.
func functions(source, text string) (names []string) {
	for _, part := range strings.Split(source, "\n}\n") {
		if m := function.FindStringSubmatch(part); m != nil && commented(part, text) {
			names = append(names, m[1])
		}
	}
	return names
}

// commented reports whether a comment of body has the text.
func commented(body, text string) bool {
	for line := range strings.Lines(body) {
		if _, comment, ok := strings.Cut(line, "//"); ok && strings.Contains(comment, text) {
			return true
		}
	}
	return false
}
