package advice

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/testkit"
)

//go:generate go test -count=1 . -run Page -update

const (
	page  = "../../docs/advice.md"
	begin = "<!-- begin: made from analyze/advice/catalogue.go: go test ./analyze/advice -update -->\n"
	end   = "<!-- end -->\n"
)

// catalogueText is the catalogue as the page has it.
func catalogueText() string {
	var b strings.Builder
	fmt.Fprintf(&b, `## What is worth a word

At least %d writes have to be concerned. Of what costs something only when others wait, %d %% of the time of all writes
has to be lost; what is marked *by itself* is said, too, of %d %% of the writes to a file.

## The catalogue

| id | what happens | it is that when a write is | said |
| --- | --- | --- | --- |
`, leastWrites, 100/leastLost, 100/leastPart)
	for i := range catalogue {
		e := &catalogue[i]
		said := "when others wait"
		if e.alone {
			said = "by itself"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", ids[e.cause], e.what, e.seen, said)
	}
	b.WriteString("\n| id | what changes it | where | measured |\n| --- | --- | --- | --- |\n")
	for i := range catalogue {
		e := &catalogue[i]
		for _, r := range e.remedies {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", ids[e.cause], r.text, r.where, map[bool]string{true: "yes", false: "no"}[r.measured])
		}
	}
	b.WriteString("| `kernel-patch` | run a kernel with patch 3 or 4 of the series, or 7.3: the model says which shares these writes | | yes |\n")
	return b.String()
}

// TestPage: docs/advice.md has the catalogue, and each entry in its table of what was measured.
func TestPage(t *testing.T) {
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(raw), begin)
	_, tail, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatalf("%s has no place for the catalogue", page)
	}
	testkit.Golden(t, filepath.Join("..", page), head+begin+catalogueText()+end+tail)
	for i := range catalogue {
		id := ids[catalogue[i].cause]
		if !regexp.MustCompile("(?m)^\\| `?" + id + "`? \\| .*\\d.* \\| .+ \\| .*\\d.* \\|$").MatchString(tail) {
			t.Errorf("%s does not say what was measured of %s, so that it must not be in the catalogue", page, id)
		}
	}
}
