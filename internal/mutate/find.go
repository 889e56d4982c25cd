package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one change to one file.
type mutant struct {
	file  string // base name
	fn    string // the function, or the variable outside of one
	where string // the condition or the statement that is changed, on one line
	old   string // what of it is replaced
	new   string
	nth   int // counts those that have all the above in common, from 1
	line  int

	from, to int // offsets of what is replaced, bytes
	text     string
	body     *body // of the function, nil outside of one
}

// body is where the statements of a function stand.
type body struct {
	from, to int  // offsets, bytes, without the braces
	result   bool // the function has one
}

// name identifies the mutant without a line number.
func (m *mutant) name() string {
	s := fmt.Sprintf("%s %s: %s: %s -> %s", m.file, m.fn, m.where, m.old, m.new)
	if m.nth > 1 {
		s += fmt.Sprintf(" (%d)", m.nth)
	}
	return s
}

const dropped = "(dropped)"

// find lists the mutants of all files of the package in dir but its tests, in the
// order of the source.
func find(dir string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var out []mutant
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		found, err := findIn(filepath.Base(path), src)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("nothing to change in the Go files of %s", dir)
	}
	return out, nil
}

func findIn(file string, src []byte) ([]mutant, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read source: %w", err)
	}
	f := finder{file: file, src: src, fset: fset, seen: map[string]bool{}}
	for _, decl := range tree.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			f.fn, f.body = decl.Name.Name, nil
			if decl.Recv != nil {
				typ := f.one(decl.Recv.List[0].Type)
				f.fn = strings.TrimPrefix(typ, "*") + "." + f.fn
			}
			if b := decl.Body; b != nil {
				f.body = &body{f.offset(b.Lbrace) + 1, f.offset(b.Rbrace), decl.Type.Results != nil}
				f.walk(b)
			}
		case *ast.GenDecl:
			f.body = nil
			f.table(decl)
		}
	}
	slices.SortStableFunc(f.out, func(a, b mutant) int { return cmp.Compare(a.from, b.from) })
	count := map[string]int{}
	for i := range f.out {
		m := &f.out[i]
		m.nth = 1
		name := m.name()
		count[name]++
		m.nth = count[name]
	}
	return f.out, nil
}

// finder collects the mutants of one file.
type finder struct {
	file, fn string
	src      []byte
	fset     *token.FileSet
	stack    []ast.Node // from the function's body to the node that is looked at
	body     *body
	seen     map[string]bool
	out      []mutant
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

// between is the source from one position to another, on one line.
func (f *finder) between(from, to token.Pos) string {
	return strings.Join(strings.Fields(string(f.src[f.offset(from):f.offset(to)])), " ")
}

func (f *finder) one(n ast.Node) string { return f.between(n.Pos(), n.End()) }

// add notes that old becomes text, once.
func (f *finder) add(old ast.Node, text string) {
	f.replace(old.Pos(), old.End(), f.one(old), text, text)
}

func (f *finder) replace(from, to token.Pos, old, shown, text string) {
	m := mutant{
		file: f.file, fn: f.fn, where: f.where(), old: old, new: shown, line: f.fset.Position(from).Line,
		from: f.offset(from), to: f.offset(to), text: text, body: f.body,
	}
	key := fmt.Sprint(m.from, m.to, m.text)
	if !f.seen[key] {
		f.seen[key] = true
		f.out = append(f.out, m)
	}
}

// where is the innermost statement or condition that is being looked at.
func (f *finder) where() string {
	for i := len(f.stack) - 1; i >= 0; i-- {
		switch n := f.stack[i].(type) {
		case *ast.IfStmt:
			return f.between(n.Pos(), n.Body.Lbrace)
		case *ast.ForStmt:
			return f.between(n.Pos(), n.Body.Lbrace)
		case *ast.RangeStmt:
			return f.between(n.Pos(), n.Body.Lbrace)
		case *ast.SwitchStmt:
			return f.between(n.Pos(), n.Body.Lbrace)
		case *ast.CaseClause:
			return f.clause(n)
		case *ast.BlockStmt:
		case ast.Stmt:
			return f.one(n)
		case *ast.ValueSpec, *ast.KeyValueExpr:
			return f.one(n)
		}
	}
	return ""
}

// clause is the head of a case, behind what the switch is about. A default is told
// by what it begins with.
func (f *finder) clause(c *ast.CaseClause) string {
	head := "default"
	switch {
	case c.List != nil:
		head = f.between(c.Pos(), c.Colon)
	case len(c.Body) > 0:
		head += ": " + f.one(c.Body[0])
	}
	for _, n := range slices.Backward(f.stack) {
		if s, ok := n.(*ast.SwitchStmt); ok && s.Body.Pos() <= c.Pos() && c.Pos() < s.Body.End() {
			if s.Tag != nil {
				head = "switch " + f.one(s.Tag) + ": " + head
			}
			break
		}
	}
	return head
}
