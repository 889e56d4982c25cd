// Command recordgen makes what Go and the documents know of the wire records from the
// two places that have it: the BTF of the committed objects, for the layout, and
// bpf/record.h, for the words. "go generate ./record" runs it.
package main

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"text/template"

	"github.com/cilium/ebpf/btf"
)

// The files, from the root of the repository.
const (
	header   = "bpf/record.h"
	object   = "probes/ext4dio_x86_bpfel.o"
	other    = "probes/ext4dio_arm64_bpfel.o" // has to have the same layout
	code     = "record/fields_gen.go"
	document = "trace/tracefile/FORMAT.md"
)

// record is a struct of the wire, and what it is in Go: the constant of its size, what the
// names of its offsets begin with, the type that holds it.
type record struct {
	C, Size, At, GoName, Doc string
	Bytes                    int
	Fields                   []field
}

var wire = [...]record{
	{C: "write_rec", Size: "HeadSize", At: "At", GoName: "Write", Doc: "Write is one direct write (struct write_rec) with its steps."},
	{C: "step", Size: "StepSize", At: "AtStep", GoName: "Step", Doc: "Step is one thing that the kernel did inside a write (struct step)."},
	{C: "complete_rec", Size: "CompleteSize", At: "AtDone", GoName: "Complete", Doc: "Complete is the end of an asynchronous write (struct complete_rec)."},
	{C: "name_rec", Size: "NameSize", At: "AtName", GoName: "Name", Doc: "Name is the head of a name of a file (struct name_rec)."},
	{C: "hold_rec", Size: "HoldSize", At: "AtHold", GoName: "Hold", Doc: "Hold is somebody who held i_rwsem, and made no recorded write (struct hold_rec)."},
	{C: "budget_rec", Size: "BudgetSize", At: "AtBudget", GoName: "Budget", Doc: "Budget is where the time of one write went (struct budget_rec)."},
	{C: "counters", GoName: "Counters", Doc: "Counters sums struct counters over all CPUs, in its order."},
}

// number is an enum or flags of the header, by what their names begin with there and in
// Go. The values of a counted one have their number in a constant, too.
type number struct {
	C, GoName, GoType, Doc string
	Counted                bool
	Values                 []value
}

// value is one of the values of a number, as an expression of Go.
type value struct{ C, Name, Value, Words string }

var numbers = [...]number{
	{C: "REC_", GoName: "Kind", GoType: "Kind", Doc: "Kinds of records; numbers are append-only."},
	{C: "ST_", GoName: "Stage", GoType: "Stages", Doc: "Stages in the order in which the kernel passes them."},
	{C: "LOCK_", GoName: "Lock", GoType: "Lock", Doc: "Modes of i_rwsem."},
	{C: "CALLER_", GoName: "Caller", GoType: "Caller", Doc: "Submission paths.", Counted: true},
	{C: "STEP_", GoName: "Step", GoType: "StepKind", Doc: "Kinds of steps. What their fields hold stands in bpf/record.h, and is copied from there to\n// trace/tracefile/FORMAT.md."},
	{C: "PASS_", GoName: "Pass", GoType: "uint16", Doc: "Flags in Step.Aux of a StepPass."},
	{C: "BUF_", GoName: "Buf", GoType: "uint16", Doc: "Flags in Step.Aux of a StepBuffered that no StepPass came before: what ext4_should_use_dio\n// refused direct I/O for, with PassEncrypted, PassInline and PassJournal."},
	{C: "ALIGN_", GoName: "Align", GoType: "uint16", Doc: "Flags in Step.Aux of a StepAlign."},
	{C: "CUT_", GoName: "Cut", GoType: "uint8", Doc: "Parts of a write of which steps were lost: bits of Write.Cut."},
	{C: "DRAIN_", GoName: "Drain", GoType: "uint16", Doc: "Flags in Step.Aux of a StepDrain."},
	{C: "MAP_", GoName: "Map", GoType: "uint16", Doc: "Flags in Step.Aux of a StepMap or StepMaps."},
	{C: "NAME_", GoName: "Name", GoType: "uint16", Doc: "Flags of a Name."},
	{C: "HOLD_", GoName: "Hold", GoType: "HoldOp", Doc: "What holds i_rwsem besides recorded writes.", Counted: true},
	{C: "HOLDER_", GoName: "Holder", GoType: "uint16", Doc: "Flags of a Hold."},
	{C: "BUDGET_", GoName: "Budget", GoType: "BudgetPart", Doc: "Parts of a write's time.", Counted: true},
	{C: "PHASE_", GoName: "Phase", GoType: "Phase", Doc: "Phases of one write."},
	{C: "SLEEP_", GoName: "Sleep", GoType: "SleepCause", Doc: "Causes of sleeps.", Counted: true},
	{C: "INSIDE_", GoName: "Inside", GoType: "InsideStage", Doc: "Where a write was that had not returned: in Step.Aux of a StepInside.", Counted: true},
	{C: "FMOD_", GoName: "Fmod", GoType: "Fmod", Doc: "Which of the two was entered in the check phase."},
	{C: "OPS_", GoName: "Ops", GoType: "Ops", Doc: "The two operation tables of ext4 for direct writes."},
}

// types are those of fields that are no plain numbers in Go, by the first words of what
// bpf/record.h says of them.
var types = map[string]string{
	"ST_*": "Stages", "enum lock_mode": "Lock", "enum caller": "Caller",
	"enum step_kind": "StepKind", "enum dio_ops": "Ops", "enum fmod": "Fmod",
	"enum hold_op": "HoldOp",
}

// Words that Go spells in another way than with a first capital, of fields and of numbers.
var (
	fieldWords  = map[string]string{"id": "ID", "isize0": "ISize0", "aio": "AIO", "nsteps": "NSteps"}
	numberWords = map[string]string{
		"dio": "DIO", "dax": "DAX", "io": "IO", "iopoll": "IOPoll", "wq": "WQ", "nfsd": "NFSD", "jbd2": "JBD2", "rtlock": "RTLock",
	}
)

// field is one member of a struct.
type field struct {
	C, GoName, GoType, Words string
	At, Width                int
	Frame                    bool // says how to read the record, or pads it: not in the Go struct
}

// layout is all that is known of the wire.
type layout struct {
	Object, Header string
	Structs        [len(wire)]record
	Numbers        [len(numbers)]number
	Kinds          []comment // of steps
	Steps          int       // that a record holds
}

// Counters are the counters.
func (l *layout) Counters() []field { return l.Structs[len(wire)-1].Fields }

// comment is what bpf/record.h says of a name.
type comment struct{ Name, Text string }

// templates are what is printed of a layout.
//
//go:embed fields.go.tmpl tables.md.tmpl
var templates embed.FS

// print prints one of the templates.
func (l *layout) print(name string) ([]byte, error) {
	var b bytes.Buffer
	err := template.Must(template.ParseFS(templates, name)).Execute(&b, l)
	return b.Bytes(), err
}

func main() {
	root := ".." // go generate runs in the folder of the package
	files, err := generate(root)
	for name, content := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(root, name), content, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recordgen:", err)
		os.Exit(1)
	}
}

// generate returns the files as they have to be.
func generate(root string) (map[string][]byte, error) {
	words, err := os.ReadFile(filepath.Join(root, header))
	if err != nil {
		return nil, err
	}
	l, err := read(filepath.Join(root, object), string(words))
	if err != nil {
		return nil, err
	}
	second, err := read(filepath.Join(root, other), string(words))
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(l, second) {
		return nil, fmt.Errorf("%s and %s differ in their records", object, other)
	}
	source, err := l.print("fields.go.tmpl")
	if err != nil {
		return nil, err
	}
	if source, err = format.Source(source); err != nil {
		return nil, err
	}
	tables, err := l.print("tables.md.tmpl")
	if err != nil {
		return nil, err
	}
	doc, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		return nil, err
	}
	if doc, err = replaceTables(doc, string(tables)); err != nil {
		return nil, err
	}
	return map[string][]byte{code: source, document: doc}, nil
}

// read takes the layout from an object, and the words from the header.
func read(path, words string) (*layout, error) {
	spec, err := btf.LoadSpec(path)
	if err != nil {
		return nil, err
	}
	l := &layout{Object: object, Header: header, Structs: wire, Numbers: numbers, Kinds: stepKinds(words)}
	for i := range l.Structs {
		w := &l.Structs[i]
		var s *btf.Struct
		if err := spec.TypeByName(w.C, &s); err != nil {
			return nil, fmt.Errorf("%s: struct %s: %w", path, w.C, err)
		}
		w.Bytes = int(s.Size)
		if w.Fields, err = fields(s, memberWords(words, w.C)); err != nil {
			return nil, fmt.Errorf("%s: struct %s: %w", path, w.C, err)
		}
	}
	for i := range l.Numbers {
		l.Numbers[i].Values = l.values(&l.Numbers[i], words)
	}
	var inflight *btf.Struct
	if err := spec.TypeByName("inflight", &inflight); err != nil {
		return nil, err
	}
	steps, ok := inflight.Members[1].Type.(*btf.Array)
	if first := inflight.Members[0].Type.TypeName(); first != "write_rec" || !ok || inflight.Members[1].Offset.Bytes() != uint32(l.Structs[0].Bytes) {
		return nil, fmt.Errorf("%s: struct inflight has to begin with struct write_rec and its steps", path)
	}
	l.Steps = int(steps.Nelems)
	return l, nil
}

// fields lists the members of a struct.
func fields(s *btf.Struct, words map[string]string) ([]field, error) {
	var out []field
	for _, m := range s.Members {
		size, err := btf.Sizeof(m.Type)
		if err != nil {
			return nil, err
		}
		f := field{C: m.Name, GoName: goName(m.Name, fieldWords), Words: words[m.Name], At: int(m.Offset.Bytes()), Width: size}
		f.GoType = goType(btf.UnderlyingType(m.Type), f)
		f.Frame = m.Name == "kind" && s.Name != "step" || strings.HasPrefix(m.Name, "pad") || m.Name == "size" && s.Name != "write_rec"
		out = append(out, f)
	}
	return out, nil
}

// goName makes wait_ns WaitNs.
func goName(c string, special map[string]string) string {
	out := ""
	for _, word := range strings.Split(c, "_") {
		if spelled, ok := special[word]; ok {
			out += spelled
			continue
		}
		out += strings.ToUpper(word[:1]) + word[1:]
	}
	return out
}

func goType(t btf.Type, f field) string {
	for words, name := range types {
		if f.Words == words || strings.HasPrefix(f.Words, words+" ") {
			return name
		}
	}
	switch i, isInt := t.(*btf.Int); {
	case f.C == "nsteps":
		return "int"
	case !isInt:
		return fmt.Sprintf("[%d]byte", f.Width)
	case i.Encoding == btf.Signed:
		return fmt.Sprintf("int%d", f.Width*8)
	}
	return fmt.Sprintf("uint%d", f.Width*8)
}

var member = regexp.MustCompile(`(?m)^\t__\w+ (\w+)(?:\[\w+\])?;(?:\s*/\* (.*) \*/)?$`)

// memberWords is what the header says of the members of a struct.
func memberWords(header, name string) map[string]string {
	_, body, _ := strings.Cut(header, "\nstruct "+name+" {\n")
	body, _, _ = strings.Cut(body, "\n};")
	out := map[string]string{}
	for _, m := range member.FindAllStringSubmatch(body, -1) {
		out[m[1]] = m[2]
	}
	return out
}

var stepKind = regexp.MustCompile(`(?s)\t/\*(.*?)\*/\s*STEP_(\w+) = (\d+),`)

// stepKinds is what the header says of the kinds of steps, in their order.
func stepKinds(header string) []comment {
	_, body, _ := strings.Cut(header, "\nenum step_kind {\n")
	body, _, _ = strings.Cut(body, "\n};")
	var out []comment
	for _, m := range stepKind.FindAllStringSubmatch(body, -1) {
		text := strings.Join(strings.Fields(strings.ReplaceAll(m[1], "\n\t *", "\n")), " ")
		out = append(out, comment{m[3] + " " + strings.ToLower(m[2]), text})
	}
	return out
}

// values are those of the header whose names begin as n's do.
func (l *layout) values(n *number, header string) (out []value) {
	line := regexp.MustCompile(`(?m)^(?:#define |\t)` + n.C + `(\w+)(?: = (\d+),|\s+\((1)u << (\d+)\))(?:[ \t]*/\* (.*) \*/)?$`)
	for _, m := range line.FindAllStringSubmatch(header, -1) {
		v := value{C: strings.ToLower(m[1]), Value: m[2], Words: m[5]}
		v.Name = goName(v.C, numberWords)
		if m[3] != "" {
			v.Value = "1 << " + m[4]
		}
		if n.GoType == "StepKind" { // which have theirs in front of them
			v.Words, _, _ = strings.Cut(l.Kinds[len(out)].Text, ".")
		}
		out = append(out, v)
	}
	return out
}

// Read is the expression that reads a field at an offset. A loop over the fields
// would take several times as long.
func (f field) Read(at string) string {
	plain := fmt.Sprintf("uint%d", f.Width*8)
	switch {
	case f.GoType[0] == '[':
		return fmt.Sprintf("%s(raw[%s:])", f.GoType, at)
	case f.Width == 1 && f.GoType == plain:
		return fmt.Sprintf("raw[%s]", at)
	case f.Width == 1:
		return fmt.Sprintf("%s(raw[%s])", f.GoType, at)
	case f.GoType == plain:
		return fmt.Sprintf("e.Uint%d(raw[%s:])", f.Width*8, at)
	}
	return fmt.Sprintf("%s(e.Uint%d(raw[%s:]))", f.GoType, f.Width*8, at)
}

// Cell is what the header says of a field, for a table.
func (f field) Cell() string { return strings.ReplaceAll(f.Words, "|", "\\|") }

// The tables stand between these lines of the document.
const (
	begin = "<!-- made by go generate ./record from bpf/record.h -->\n"
	end   = "<!-- end of what is made -->\n"
)

func replaceTables(doc []byte, tables string) ([]byte, error) {
	before, rest, ok := strings.Cut(string(doc), begin)
	_, after, whole := strings.Cut(rest, end)
	if !ok || !whole {
		return nil, fmt.Errorf("%s has no place for the tables of fields", document)
	}
	return []byte(before + begin + "\n" + tables + "\n" + end + after), nil
}
