package export_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/schema"
)

const docsHead = `<!-- Made from export/fields.go: go test ./export -run Docs -update -->

# The fields of a write

` + "`live --json`, `view --json` and `export --format jsonl`" + ` write one JSON object a line. A line without a ` + "`kind`" + ` is a write; the
others are [below](#lines-that-are-no-writes). [ext4dio-trace.schema.json](ext4dio-trace.schema.json) is the JSON Schema of
all lines. Every field is in every line; what is not known is ` + "`null`" + `, and never 0 or ` + "`false`" + `. A name never changes its
meaning; readers should leave out fields and kinds that they do not know. What ` + "`check --json`" + ` says of policies is in
[expect.md](expect.md#json).

    ext4dio-trace view --json db.e4d | jq 'select(.kind | not) | .lock'     # of each write
    ext4dio-trace view --json db.e4d | jq 'select(.kind == "loss") | .text' # what is missing, and where

` + "`provisional`" + ` is true of a write that was judged while a later one could still rule out its variant: by live, and from a
pipe. What reads a file looks through it for the variant first, and judges all writes by that. ` + "`seq`" + ` counts the writes in the
order in which they are judged, whatever is filtered away, over all parts that are given of a recording; in live it counts
from the start, as a recording does that is made along with it.

The columns of CSV and of Parquet are the same fields. In CSV, fields that came later than others stand at the end (they
are marked *late*), so that columns that are counted stay where they are; lists and objects stand as JSON in their
cells. In Parquet, all numbers are signed, with the width given here. A field with a *filter* can be asked for by that
name in ` + "`--filter`" + `.

`

const linesHead = `
# Lines that are no writes

The first line names the form of all; a line about what is lost stands where it was noticed; the last line is the
summary. A stream without that was cut off. A hold stands where it was over. Who chooses among the writes, by ` + "`--filter`" + ` or
` + "`--only`" + `, gets no holds; ` + "`--from` and `--to`" + ` choose among them, too.
`

// writeLines writes what the lines of other kinds are.
func writeLines(b *strings.Builder) {
	b.WriteString(linesHead)
	for _, kind := range kindOrder {
		fmt.Fprintf(b, "\n## `%s`\n\n", kind)
		if kind == export.KindSummary {
			b.WriteString("The totals of all writes, those that are not shown among them, as `--summary FILE` writes them. `advice` is what\n" +
				"[advice.md](advice.md) tells of, what loses the most time first; empty when nothing is worth a word, null when nobody has looked.\n" +
				"`coverage` is a list as `variants` of [coverage.md](coverage.md#json); null without `--coverage`.\n" +
				"`sample` has `one_in`, `seed` and `made`, how many writes were made in all, with `--sample` ([cost.md](cost.md#a-sample)); null without.\n")
			continue
		}
		if kind == export.KindHold {
			b.WriteString("Somebody held i_rwsem of a file who made no recorded write: of those for whom a write waits, or of all with\n" +
				"`--holders all`. What is exact and what a bound, and what is not seen, is told in [holders.md](holders.md). Several have the\n" +
				"lock at a time where they hold it shared: their times overlap.\n\n" +
				"    ext4dio-trace live --json --holders all | jq -c 'select(.kind == \"hold\") | [.held_ns, .op, .comm, .path]'\n\n")
		}
		b.WriteString("| field | what it is |\n| --- | --- |\n")
		for _, f := range reflect.VisibleFields(reflect.TypeOf(export.StreamLines[kind])) {
			fmt.Fprintf(b, "| `%s` | %s |\n", f.Tag.Get("json"), f.Tag.Get("doc"))
		}
	}
}

// TestDocs: docs/json.md is what the list of fields says.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	writeFields(&b, "", export.Fields.About())
	writeLines(&b)
	const path = "../docs/json.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/json.md is not what the fields say: go test ./export -run Docs -update")
	}
}

// writeFields writes a table of fields, and then those of the records in them.
func writeFields(b *strings.Builder, in string, fields []*schema.About) {
	if in != "" {
		fmt.Fprintf(b, "\n## `%s`\n\n", in)
	}
	b.WriteString("| field | type | unit | what it is |\n| --- | --- | --- | --- |\n")
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.Name, typeText(f), f.Unit, meaning(f))
	}
	for _, f := range fields {
		if len(f.Kids) > 0 {
			writeFields(b, strings.TrimPrefix(in+"."+f.Name, "."), f.Kids)
		}
	}
}

func typeText(f *schema.About) string {
	text := map[schema.Type]string{
		schema.TypeInt32: "int32", schema.TypeInt64: "int64", schema.TypeBool: "boolean", schema.TypeText: "text", schema.TypeWord: "word",
		schema.TypeFlags: "list of words", schema.TypeTexts: "list of texts", schema.TypeRecord: "object", schema.TypeList: "list of objects",
	}[f.Type]
	if f.Null {
		text += " or null"
	}
	return text
}

func meaning(f *schema.About) string {
	text := f.Doc
	if f.Words != nil {
		text += ": `" + strings.Join(f.Words.List(), "`, `") + "`"
	}
	if f.Filter != "" {
		text += " (*filter* `" + f.Filter + "`)"
	}
	if f.Late {
		text += " (*late*)"
	}
	return text
}
