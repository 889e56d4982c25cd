package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// unread lists the constants of type Behaviours in dir that no function asks a variant
// for: leaving such a bit out of every table changes nothing that the package does.
func unread(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var known []string
	read := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range tree.Decls {
			switch decl := decl.(type) {
			case *ast.GenDecl:
				known = append(known, behaviours(decl)...)
			case *ast.FuncDecl:
				asked(decl, read)
			}
		}
	}
	return slices.DeleteFunc(known, func(name string) bool { return read[name] }), nil
}

// behaviours are the names that a block of constants of type Behaviours declares.
func behaviours(decl *ast.GenDecl) []string {
	if decl.Tok != token.CONST || len(decl.Specs) == 0 {
		return nil
	}
	if typ, ok := decl.Specs[0].(*ast.ValueSpec).Type.(*ast.Ident); !ok || typ.Name != "Behaviours" {
		return nil
	}
	var out []string
	for _, spec := range decl.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			out = append(out, name.Name)
		}
	}
	return out
}

// asked notes the names in the arguments of each call of Has.
func asked(fn *ast.FuncDecl, read map[string]bool) {
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if has, ok := call.Fun.(*ast.SelectorExpr); !ok || has.Sel.Name != "Has" {
			return true
		}
		for _, arg := range call.Args {
			ast.Inspect(arg, func(n ast.Node) bool {
				if name, ok := n.(*ast.Ident); ok {
					read[name.Name] = true
				}
				return true
			})
		}
		return true
	})
}
