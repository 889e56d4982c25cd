package pages

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// condition is a row of the table in docs/verification.md: a condition in C, its function
// and line in fs/ext4/file.c, and the function of the model.
var condition = regexp.MustCompile("(?m)^\\| `(.+?)` \\| [^|]* \\| `(\\w+)`, (\\d+) \\| `(\\w+)` \\|$")

// place is a row of docs/kernel.md#places-in-the-source: a function, and its line in 7.3.
var place = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| fs/ext4/file.c \\|.*\\| (\\d+) \\|$")

// TestConditions: every condition of the table stands as a comment in the function of
// the model that it names, and its line is in the function of the kernel.
func TestConditions(t *testing.T) {
	all := texts(t)
	model := all["userspace-model/file7.go"]
	begins := map[string]int{}
	for _, m := range place.FindAllStringSubmatch(all[kernel], -1) {
		begins[m[1]], _ = strconv.Atoi(m[2])
	}
	rows := condition.FindAllStringSubmatch(strings.ReplaceAll(all["docs/verification.md"], `\|`, "¦"), -1)
	if len(rows) < 10 {
		t.Errorf("docs/verification.md has %d conditions, want 10", len(rows))
	}
	for _, m := range rows {
		text, function, line, name := strings.ReplaceAll(m[1], "¦", "|"), m[2], m[3], m[4]
		_, body, found := strings.Cut(model, ") "+name+"(")
		if !found {
			_, body, found = strings.Cut(model, "\nfunc "+name+"(")
		}
		body, _, _ = strings.Cut(body, "\n}\n")
		if !found || !commented(body, text) {
			t.Errorf("file7.go: function %s (there: %v) has no comment with %s", name, found, text)
		}
		if at, _ := strconv.Atoi(line); begins[function] == 0 || at < begins[function] || at > begins[function]+130 {
			t.Errorf("%s begins in line %d of fs/ext4/file.c, and has no line %s", function, begins[function], line)
		}
	}
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
