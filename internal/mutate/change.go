package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// boundary says what a comparison becomes that is wrong by one.
var boundary = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}

// opposite says what a comparison becomes that is negated.
var opposite = map[token.Token]string{
	token.LSS: ">=", token.LEQ: ">", token.GTR: "<=", token.GEQ: "<", token.EQL: "!=", token.NEQ: "==",
}

var otherLogic = map[token.Token]string{token.LAND: "||", token.LOR: "&&"}

var otherSign = map[token.Token]string{token.ADD: "-", token.SUB: "+"}

// otherValue are the named constants that are exchanged.
var otherValue = map[string]string{
	"Yes": "No", "No": "Yes", "Unknown": "Yes", "true": "false", "false": "true",
	"Shared": "Exclusive", "Exclusive": "Shared",
}

// walk looks at every node of a function's body.
func (f *finder) walk(body ast.Node) {
	ast.PreorderStack(body, nil, func(n ast.Node, above []ast.Node) bool {
		f.stack = append(above, n)
		f.look(n)
		return true
	})
}

func (f *finder) look(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.negate(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			f.negate(n.Cond)
		}
	case *ast.SwitchStmt:
		f.cases(n)
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.Ident:
		f.value(n)
	}
}

// cases drops each case; without a tag, each is a condition too. A default stays
// where the function would not compile without it.
func (f *finder) cases(s *ast.SwitchStmt) {
	last := f.offset(s.End()) == f.lastStatement()
	for _, stmt := range s.Body.List {
		c := stmt.(*ast.CaseClause)
		f.stack = append(f.stack, c)
		if c.List != nil || !last {
			f.replace(c.Pos(), c.End(), f.clause(c), dropped, "")
		}
		if s.Tag == nil {
			for _, cond := range c.List {
				f.negate(cond)
			}
		}
		f.stack = f.stack[:len(f.stack)-1]
	}
}

// lastStatement is the offset of the end of the last statement of a function that
// has to return something, or -1.
func (f *finder) lastStatement() int {
	b, ok := f.stack[0].(*ast.BlockStmt)
	if !ok || !f.body.result || len(b.List) == 0 {
		return -1
	}
	return f.offset(b.List[len(b.List)-1].End())
}

// negate turns a condition into its opposite.
func (f *finder) negate(cond ast.Expr) {
	switch x := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			f.add(cond, f.one(x.X))
			return
		}
	case *ast.BinaryExpr:
		if op, ok := opposite[x.Op]; ok {
			f.add(cond, f.operator(x, op))
		} else {
			f.add(cond, "!("+f.one(x)+")")
		}
		return
	}
	f.add(cond, "!"+f.one(cond))
}

func (f *finder) operator(x *ast.BinaryExpr, op string) string {
	return f.one(x.X) + " " + op + " " + f.one(x.Y)
}

func (f *finder) binary(x *ast.BinaryExpr) {
	for _, others := range [...]map[token.Token]string{boundary, opposite, otherLogic} {
		if op, ok := others[x.Op]; ok {
			f.add(x, f.operator(x, op))
		}
	}
	if otherLogic[x.Op] != "" {
		for _, operand := range []ast.Expr{x.X, x.Y} {
			if b, ok := ast.Unparen(operand).(*ast.BinaryExpr); !ok || otherLogic[b.Op] == "" {
				f.negate(operand)
			}
		}
	}
	if op, ok := otherSign[x.Op]; ok && !f.isText(x) {
		f.add(x, f.operator(x, op))
		if one, ok := x.Y.(*ast.BasicLit); ok && one.Value == "1" {
			f.add(x, f.one(x.X))
		}
	}
}

// isText reports whether x puts strings together.
func (f *finder) isText(x ast.Expr) bool {
	return strings.Contains(f.one(x), `"`)
}

// value exchanges a named constant, but not a name in its declaration, nor a case,
// which is dropped.
func (f *finder) value(x *ast.Ident) {
	other, ok := otherValue[x.Name]
	if !ok {
		return
	}
	switch parent := f.stack[len(f.stack)-2].(type) {
	case *ast.CaseClause, *ast.SelectorExpr:
		return
	case *ast.KeyValueExpr:
		if parent.Key == ast.Expr(x) {
			return
		}
	case *ast.BinaryExpr:
		// There are two modes where one is compared: negating does the same.
		if x.Name == "Shared" || x.Name == "Exclusive" || x.Name == "Unknown" {
			return
		}
	}
	f.add(x, other)
}

// table leaves out each bit of each | in a declaration outside of functions.
func (f *finder) table(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || decl.Tok == token.IMPORT {
			continue
		}
		f.fn = v.Names[0].Name
		for _, value := range v.Values {
			ast.PreorderStack(value, []ast.Node{v}, func(n ast.Node, above []ast.Node) bool {
				f.stack = above
				if or, ok := n.(*ast.BinaryExpr); ok && or.Op == token.OR {
					f.bit(or)
				}
				return true
			})
		}
	}
}

func (f *finder) bit(x *ast.BinaryExpr) {
	for _, operand := range []ast.Expr{x.X, x.Y} {
		if b, ok := operand.(*ast.BinaryExpr); ok && b.Op == token.OR {
			continue
		}
		f.add(operand, "0")
	}
}
