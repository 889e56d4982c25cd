package schema

import (
	"fmt"
	"go/format"
	"maps"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// Generate is the source of functions that append a T, and the records in it, as JSON.
func Generate[T any](fields Fields[T]) (source, imports string, err error) {
	g := &generator{made: map[string]bool{}, imports: map[string]bool{}}
	generate(g, fields)
	b, err := format.Source([]byte("package x\n\n" + strings.Join(g.functions, "\n")))
	for _, name := range slices.Sorted(maps.Keys(g.imports)) {
		imports += fmt.Sprintf("\t%q\n", name)
	}
	return strings.TrimPrefix(string(b), "package x\n\n"), imports, err
}

type generator struct {
	functions []string
	made      map[string]bool
	imports   map[string]bool // of the types
}

// generate makes the function of a record, and returns its name.
func generate[T any](g *generator, fields Fields[T]) string {
	typ := reflect.TypeFor[T]()
	name := "append" + typ.Name()
	if g.made[name] {
		return name
	}
	g.made[name] = true
	n := len(g.functions)
	g.functions = append(g.functions, "")
	goType := strings.TrimPrefix(typ.String(), "export.")
	if goType == typ.String() {
		g.imports[typ.PkgPath()] = true
	}
	var b strings.Builder
	fmt.Fprintf(&b, "func %s(dst []byte, t *%s) []byte {\n", name, goType)
	opening := "{"
	for i := range fields {
		f := &fields[i]
		key := fmt.Sprintf("append(dst, `%s\"%s\":`...)", opening, f.Name)
		fmt.Fprintf(&b, "dst = %s\n", g.value(key, f.Type, &f.About, &f.from, typ, func() string {
			return f.sub.(interface{ generate(*generator) string }).generate(g)
		}))
		opening = ","
	}
	b.WriteString("return append(dst, '}')\n}\n")
	g.functions[n] = b.String()
	return name
}

func (s record[T, U]) generate(g *generator) string { return generate(g, s.fields) }
func (s list[T, U]) generate(g *generator) string   { return generate(g, s.fields) }

// value is the expression that appends a value to dst.
func (g *generator) value(dst string, typ Type, about *About, from *source, of reflect.Type, sub func() string) string {
	if typ == TypeWord && about.Words == nil {
		return fmt.Sprintf("append(%s(append(%s, '\"'), t), '\"')", funcName(from.get), dst)
	}
	v, optional, signed := "", false, true
	if from.get != nil {
		v = funcName(from.get) + "(t)"
		if typ == TypeBool {
			v += " != 0"
		}
	} else {
		var held reflect.Type
		v, held = place(from.place, of)
		optional = strings.HasPrefix(held.Name(), "Opt[")
		if optional && typ != TypeRecord {
			held = held.Field(0).Type
		}
		signed = held.Kind() == reflect.Int || held.Kind() == reflect.Int32 || held.Kind() == reflect.Int64
	}
	known := "true"
	switch {
	case optional:
		known, v = v+".Known", v+".V"
	case from.known != nil && !reflect.ValueOf(from.known).IsNil():
		known = funcName(from.known) + "(t)"
	}
	switch {
	case typ == TypeRecord && optional:
		return fmt.Sprintf("appendRecord(%s, %s, &%s, %s)", dst, known, v, sub())
	case typ == TypeRecord:
		return fmt.Sprintf("%s(%s, &%s)", sub(), dst, v)
	case typ == TypeList:
		return fmt.Sprintf("appendList(%s, %s, %s, %s)", dst, known, v, sub())
	case typ == TypeTexts:
		return fmt.Sprintf("appendTexts(%s, %s, %s)", dst, known, v)
	case typ == TypeText && about.Null:
		return fmt.Sprintf("appendTextOrNull(%s, %s)", dst, v)
	case typ == TypeText:
		return fmt.Sprintf("safe.AppendJSON(%s, %s)", dst, v)
	case typ == TypeWord && optional:
		return fmt.Sprintf("appendWord(%s, %s, %s, int64(%s))", dst, known, about.Words.name, v)
	case typ == TypeWord:
		return fmt.Sprintf("%s.AppendJSON(%s, int64(%s))", about.Words.name, dst, v)
	case typ == TypeFlags:
		return fmt.Sprintf("%s.AppendFlags(%s, uint32(%s)&%#x)", about.Words.name, dst, v, from.mask)
	case typ == TypeBool && known == "true":
		return fmt.Sprintf("strconv.AppendBool(%s, %s)", dst, v)
	case typ == TypeBool:
		return fmt.Sprintf("appendBool(%s, %s, %s)", dst, known, v)
	}
	kind, goType := "Uint", "uint64"
	if signed {
		kind, goType = "Int", "int64"
	}
	if known == "true" {
		return fmt.Sprintf("strconv.Append%s(%s, %s(%s), 10)", kind, dst, goType, v)
	}
	return fmt.Sprintf("append%s(%s, %s, %s(%s))", kind, dst, known, goType, v)
}

// funcName is the name of a function that has one.
func funcName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	name = strings.TrimPrefix(path.Base(name), "export.")
	if strings.Contains(name, ".") {
		panic("no name: " + name)
	}
	return name
}

// place is the Go expression of what the function at gives the place of in a record, and
// its type.
func place(at any, record reflect.Type) (string, reflect.Type) {
	t := reflect.New(record)
	to := reflect.ValueOf(at).Call([]reflect.Value{t})[0]
	offset, held := to.Pointer()-t.Pointer(), to.Type().Elem()
	expr := "t"
	for record != held {
		if record.Kind() == reflect.Array {
			record = record.Elem()
			expr, offset = fmt.Sprintf("%s[%d]", expr, offset/record.Size()), offset%record.Size()
			continue
		}
		found := false
		for i := record.NumField() - 1; i >= 0 && !found; i-- {
			if f := record.Field(i); f.Offset <= offset {
				expr, offset, record, found = expr+"."+f.Name, offset-f.Offset, f.Type, true
			}
		}
		if !found || record.Kind() != reflect.Struct && record.Kind() != reflect.Array && record != held {
			panic("no field at " + expr)
		}
	}
	return expr, held
}
