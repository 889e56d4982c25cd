package export_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
)

const jsonSchemaPath = "../docs/ext4dio-trace.schema.json"

// kindOrder is that of docs/json.md.
var kindOrder = []string{export.KindStart, export.KindLoss, export.KindNotice, export.KindMark, export.KindHold, export.KindSummary}

type object = map[string]any

// jsonSchema is what a line of JSON is, made of the list of fields.
func jsonSchema() []byte {
	write := objectOf(export.Fields.About())
	write["title"], write["not"] = "a write", object{"required": []string{"kind"}}
	lines := []any{write}
	for _, kind := range kindOrder {
		line := structOf(reflect.TypeOf(export.StreamLines[kind]))
		line["title"] = kind
		line["properties"].(object)["kind"] = object{"const": kind}
		lines = append(lines, line)
	}
	b, err := json.MarshalIndent(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": "Made from export/fields.go: make generate",
		"title": export.SchemaName, "description": "One line of live --json, view --json or export --format jsonl.", "oneOf": lines,
	}, "", "\t")
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

func objectOf(fields []*schema.About) object {
	properties, required := object{}, []string{}
	for _, f := range fields {
		p := typeOf(f)
		if p["description"] = f.Doc; f.Unit != "" {
			p["description"] = f.Doc + " (" + f.Unit + ")"
		}
		properties[f.Name], required = p, append(required, f.Name)
	}
	return object{"type": "object", "properties": properties, "required": required}
}

func typeOf(f *schema.About) object {
	one := func(p object, kind string) object {
		if p["type"] = kind; f.Null {
			p["type"] = []string{kind, "null"}
		}
		return p
	}
	switch f.Type {
	case schema.TypeInt32, schema.TypeInt64:
		return one(object{}, "integer")
	case schema.TypeBool:
		return one(object{}, "boolean")
	case schema.TypeWord:
		return wordOf(f)
	case schema.TypeFlags, schema.TypeTexts: // flags without a name are their number
		return one(object{"items": object{"type": "string"}}, "array")
	case schema.TypeRecord:
		return one(objectOf(f.Kids), "object")
	case schema.TypeList:
		return one(object{"items": objectOf(f.Kids)}, "array")
	}
	return one(object{}, "string")
}

// wordOf is one of few words; an empty one among them is null.
func wordOf(f *schema.About) object {
	if f.Words == nil {
		if f.Null {
			return object{"type": []string{"string", "null"}}
		}
		return object{"type": "string"}
	}
	var words []any
	for i, w := range f.Words.List() {
		if w != "" {
			words = append(words, w)
		} else if i == 0 {
			words = append(words, nil)
		}
	}
	if f.Null && !slices.Contains(words, nil) {
		words = append(words, nil)
	}
	if other := f.Words.At(1 << 30); other != "" && !slices.Contains(words, any(other)) {
		words = append(words, other)
	}
	return object{"enum": words}
}

// structOf is the object that a struct is in JSON.
func structOf(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" {
			continue
		}
		p := goType(f.Type)
		if doc := f.Tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		if properties[name] = p; option != "omitempty" {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required}
}

func goType(t reflect.Type) object {
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Struct:
		return structOf(t)
	case reflect.Pointer:
		p := goType(t.Elem())
		p["type"] = []any{p["type"], "null"}
		return p
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": goType(t.Elem())}
	case reflect.Interface: // a list of what no package of rows knows
		return object{"type": []string{"array", "null"}, "items": object{"type": "object"}}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": goType(t.Elem())}
	}
	return object{"type": "integer"}
}

// TestSchemaDocs: the schema in docs/ is what the list of fields says.
func TestSchemaDocs(t *testing.T) {
	want := jsonSchema()
	if *update {
		if err := os.WriteFile(jsonSchemaPath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(jsonSchemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/ext4dio-trace.schema.json is not what the fields say: make generate")
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	path, err := filepath.Abs(jsonSchemaPath)
	if err != nil {
		t.Fatal(err)
	}
	s, err := jsonschema.NewCompiler().Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// streamLines are a stream of JSON with a line of each kind, and a write of each sample.
func streamLines() []byte {
	rows := append(exporttest.Rows(), hostileRows()...)
	sum := export.Summary{Variant: "base", Evidence: []string{"as the test says"}, Advice: []export.Advice{{ID: "zeroing", Remedies: []string{"write it first"}, Path: "/mnt/a"}}}
	out := export.AppendStart(nil, export.StartLine{Kernel: "7.3\x1b[2J", Variant: "base"})
	for i := range rows {
		out = rows[i].AppendJSON(out)
		sum.Totals.Add(&rows[i])
	}
	var lost record.Losses
	lost.LostRing = 3
	out = export.AppendNotice(export.AppendLoss(out, record.Losses{}, lost), "the variant is base")
	out = export.AppendMark(export.AppendMark(out, 5, "generic/001"), 9, "")
	for i := range heldSamples {
		out = export.AppendHold(out, &heldSamples[i], "/mnt/a\x1bb")
	}
	return export.AppendSummary(out, &sum)
}

// TestSchemaTakesAllLines: what is written is what the schema says, and what is not, is not.
func TestSchemaTakesAllLines(t *testing.T) {
	s := compiledSchema(t)
	kinds := map[string]int{}
	for line := range bytes.Lines(streamLines()) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err == nil {
			err = s.Validate(v)
		}
		if err != nil {
			t.Fatalf("%s%v", line, err)
		}
		kinds[export.LineKind(line)]++
		for name, was := range v.(object) {
			delete(v.(object), name)
			if name != "kind" && s.Validate(v) == nil {
				t.Errorf("a line of kind %q without %s is valid", export.LineKind(line), name)
			}
			v.(object)[name] = 1.5 // no field may have a fraction
			if s.Validate(v) == nil {
				t.Errorf("a line of kind %q in which %s is 1.5 is valid", export.LineKind(line), name)
			}
			v.(object)[name] = was
		}
	}
	if len(kinds) != len(kindOrder)+1 {
		t.Errorf("kinds %v", kinds)
	}
}
