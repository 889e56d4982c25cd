// Command recordgen makes what Go and the documents know of the wire records from the
// two places that have it: the BTF of the committed objects, for the layout, and
// bpf/record.h, for the words. "go generate ./record" runs it.
package main

import (
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

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

// wire lists the structs of the wire, and what they are in Go: the constant of their
// size, what the names of their offsets begin with, the type that holds them.
var wire = []struct{ c, size, at, goName, doc string }{
	{"write_rec", "HeadSize", "At", "Write", "Write is one direct write (struct write_rec) with its steps."},
	{"step", "StepSize", "AtStep", "Step", "Step is one thing that the kernel did inside a write (struct step)."},
	{"complete_rec", "CompleteSize", "AtDone", "Complete", "Complete is the end of an asynchronous write (struct complete_rec)."},
	{"counters", "", "", "Counters", "Counters sums struct counters over all CPUs, in its order."},
}

// numbers lists the enums and flags of the header by what their names begin with there
// and in Go. The values of a counted one have their number in a constant, too.
var numbers = []struct {
	c, goName, goType, doc string
	counted                bool
}{
	{"REC_", "Kind", "Kind", "Kinds of records; numbers are append-only.", false},
	{"ST_", "Stage", "Stages", "Stages in the order in which the kernel passes them.", false},
	{"LOCK_", "Lock", "Lock", "Modes of i_rwsem.", false},
	{"CALLER_", "Caller", "Caller", "Submission paths.", true},
	{"STEP_", "Step", "StepKind", "Kinds of steps. What their fields hold stands in bpf/record.h, and is copied from there to\n// trace/tracefile/FORMAT.md.", false},
	{"PASS_", "Pass", "uint16", "Flags in Step.Aux of a StepPass.", false},
	{"BUF_", "Buf", "uint16", "Flags in Step.Aux of a StepBuffered that no StepPass came before: what ext4_should_use_dio\n// refused direct I/O for, with PassEncrypted, PassInline and PassJournal.", false},
	{"ALIGN_", "Align", "uint16", "Flags in Step.Aux of a StepAlign.", false},
	{"DRAIN_", "Drain", "uint16", "Flags in Step.Aux of a StepDrain.", false},
	{"MAP_", "Map", "uint16", "Flags in Step.Aux of a StepMap.", false},
	{"PHASE_", "Phase", "Phase", "Phases of one write.", false},
	{"SLEEP_", "Sleep", "SleepCause", "Causes of sleeps.", true},
	{"FMOD_", "Fmod", "Fmod", "Which of the two was entered in the check phase.", false},
	{"OPS_", "Ops", "Ops", "The two operation tables of ext4 for direct writes.", false},
}

// types are those of fields that are no plain numbers in Go, by the first words of what
// bpf/record.h says of them.
var types = map[string]string{
	"ST_*": "Stages", "enum lock_mode": "Lock", "enum caller": "Caller",
	"enum step_kind": "StepKind", "enum dio_ops": "Ops", "enum fmod": "Fmod",
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
	c, goName, goType, words string
	at, width                int
	frame                    bool // says how to read the record, or pads it: not in the Go struct
}

// layout is all that is known of the wire.
type layout struct {
	structs map[string][]field
	sizes   map[string]int
	steps   int       // that a record holds
	words   string    // the header
	kinds   []comment // of steps
}

// comment is what bpf/record.h says of a name.
type comment struct{ name, text string }

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
	source, err := format.Source([]byte(l.source()))
	if err != nil {
		return nil, err
	}
	doc, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		return nil, err
	}
	if doc, err = replaceTables(doc, l.tables()); err != nil {
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
	l := &layout{structs: map[string][]field{}, sizes: map[string]int{}, words: words, kinds: stepKinds(words)}
	for _, w := range wire {
		var s *btf.Struct
		if err := spec.TypeByName(w.c, &s); err != nil {
			return nil, fmt.Errorf("%s: struct %s: %w", path, w.c, err)
		}
		l.sizes[w.c] = int(s.Size)
		if l.structs[w.c], err = fields(s, memberWords(words, w.c)); err != nil {
			return nil, fmt.Errorf("%s: struct %s: %w", path, w.c, err)
		}
	}
	var inflight *btf.Struct
	if err := spec.TypeByName("inflight", &inflight); err != nil {
		return nil, err
	}
	steps, ok := inflight.Members[1].Type.(*btf.Array)
	if first := inflight.Members[0].Type.TypeName(); first != "write_rec" || !ok || inflight.Members[1].Offset.Bytes() != uint32(l.sizes["write_rec"]) {
		return nil, fmt.Errorf("%s: struct inflight has to begin with struct write_rec and its steps", path)
	}
	l.steps = int(steps.Nelems)
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
		f := field{c: m.Name, goName: goName(m.Name, fieldWords), words: words[m.Name], at: int(m.Offset.Bytes()), width: size}
		f.goType = goType(btf.UnderlyingType(m.Type), f)
		f.frame = m.Name == "kind" && s.Name != "step" || strings.HasPrefix(m.Name, "pad") || m.Name == "size" && s.Name != "write_rec"
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
		if f.words == words || strings.HasPrefix(f.words, words+" ") {
			return name
		}
	}
	switch i, isInt := t.(*btf.Int); {
	case f.c == "nsteps":
		return "int"
	case !isInt:
		return fmt.Sprintf("[%d]byte", f.width)
	case i.Encoding == btf.Signed:
		return fmt.Sprintf("int%d", f.width*8)
	}
	return fmt.Sprintf("uint%d", f.width*8)
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

// source is the Go of the layout, not formatted.
func (l *layout) source() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("// Code generated by internal/recordgen from %s and %s. DO NOT EDIT.\n\npackage record\n\nimport \"encoding/binary\"\n", object, header)
	p("// Sizes in bytes of the structs in %s, and how many there are of what.\nconst (", header)
	p("HeadSize = %d\nStepSize = %d\nCompleteSize = %d", l.sizes["write_rec"], l.sizes["step"], l.sizes["complete_rec"])
	p("MaxSteps = %d // of a record\nNumCounters = %d // all of them uint64\n)", l.steps, len(l.structs["counters"]))
	l.numbers(p)
	for _, w := range wire {
		fields := l.structs[w.c]
		if w.at != "" {
			p("\n// Where the fields of struct %s lie, bytes.\nconst (", w.c)
			for _, f := range fields {
				p("%s%s = %d", w.at, f.goName, f.at)
			}
			p(")")
		}
		p("\n// %s\ntype %s struct {", w.doc, w.goName)
		for _, f := range fields {
			if !f.frame {
				p("%s %s `wire:\"%d,%d\"`%s", f.goName, f.goType, f.at, f.width, remark(f.words))
			}
		}
		if w.c == "write_rec" {
			p("\nSteps [MaxSteps]Step // NSteps of them")
		}
		p("}")
		if w.at == "" {
			continue
		}
		// A loop over the fields would take several times as long.
		p("\nfunc (to *%s) parse(raw *[%s]byte) {\ne := binary.LittleEndian", w.goName, w.size)
		for _, f := range fields {
			if !f.frame {
				p("to.%s = %s", f.goName, f.read(w.at+f.goName))
			}
		}
		p("}")
	}
	return b.String()
}

// numbers prints the enums and flags of the header.
func (l *layout) numbers(p func(format string, args ...any)) {
	for _, n := range numbers {
		var names []string
		p("\n// %s\nconst (", n.doc)
		line := regexp.MustCompile(`(?m)^(?:#define |\t)` + n.c + `(\w+)(?: = (\d+),|\s+\((1)u << (\d+)\))(?:[ \t]*/\* (.*) \*/)?$`)
		for _, m := range line.FindAllStringSubmatch(l.words, -1) {
			name, value := strings.ToLower(m[1]), m[2]
			if m[3] != "" {
				value = "1 << " + m[4]
			}
			words := m[5]
			if n.goType == "StepKind" { // which have theirs in front of them
				words, _, _ = strings.Cut(l.kinds[len(names)].text, ".")
			}
			p("%s%s %s = %s%s", n.goName, goName(name, numberWords), n.goType, value, remark(words))
			names = append(names, name)
		}
		if n.counted {
			p("\nNum%ss = %d", n.goType, len(names))
		}
		p(")")
		if n.goType == "Stages" {
			p("\nvar stageNames = [...]string{%s}", `"`+strings.Join(names, `", "`)+`"`)
		}
	}
}

// remark is a comment behind a line, or nothing.
func remark(words string) string {
	if words == "" {
		return ""
	}
	return " // " + words
}

// read is the expression that reads a field at an offset.
func (f *field) read(at string) string {
	plain := fmt.Sprintf("uint%d", f.width*8)
	switch {
	case f.goType[0] == '[':
		return fmt.Sprintf("%s(raw[%s:])", f.goType, at)
	case f.width == 1 && f.goType == plain:
		return fmt.Sprintf("raw[%s]", at)
	case f.width == 1:
		return fmt.Sprintf("%s(raw[%s])", f.goType, at)
	case f.goType == plain:
		return fmt.Sprintf("e.Uint%d(raw[%s:])", f.width*8, at)
	}
	return fmt.Sprintf("%s(e.Uint%d(raw[%s:]))", f.goType, f.width*8, at)
}

// tables are those of the document.
func (l *layout) tables() string {
	var b strings.Builder
	for _, w := range wire[:3] {
		fmt.Fprintf(&b, "`struct %s`, %d bytes:\n\n| offset | bytes | field | |\n| --- | --- | --- | --- |\n", w.c, l.sizes[w.c])
		for _, f := range l.structs[w.c] {
			fmt.Fprintf(&b, "| %d | %d | %s | %s |\n", f.at, f.width, f.c, strings.ReplaceAll(f.words, "|", "\\|"))
		}
		b.WriteString("\n")
	}
	b.WriteString("What the fields of a step hold:\n\n| kind | |\n| --- | --- |\n")
	for _, k := range l.kinds {
		fmt.Fprintf(&b, "| %s | %s |\n", k.name, k.text)
	}
	return b.String()
}

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
