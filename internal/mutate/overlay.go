package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// chosen is the environment variable by which a test binary is told which mutant to
// be; without it, it is the original.
const chosen = "MUTANT"

// chooser is the file that is added to the package; %s is the package's name.
const chooser = `package %s

import (
	"os"
	"strconv"
)

var mutantChosen = func() int {
	n, err := strconv.Atoi(os.Getenv("` + chosen + `"))
	if err != nil {
		return -1
	}
	return n
}()
`

// overlay is a set of files that go compiles instead of those of a folder.
type overlay struct {
	dir, tmp string
	replace  map[string]string
}

func newOverlay(dir, tmp string) (*overlay, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &overlay{dir: dir, tmp: tmp, replace: map[string]string{}}, nil
}

// put writes a file that takes the place of another.
func (o *overlay) put(file string, text []byte) error {
	path := filepath.Join(o.tmp, file)
	o.replace[filepath.Join(o.dir, file)] = path
	return os.WriteFile(path, text, 0o600)
}

func (o *overlay) source(file string) ([]byte, error) {
	return os.ReadFile(filepath.Join(o.dir, file))
}

// one makes a single mutant.
func (o *overlay) one(m *mutant) error {
	src, err := o.source(m.file)
	if err != nil {
		return err
	}
	return o.put(m.file, slices.Concat(src[:m.from], []byte(m.text), src[m.to:]))
}

// all makes the mutants at these places in the list at once: every function begins
// with a copy of its body for each of its mutants, and the number in the environment
// chooses one. To compile them all takes no longer than to compile a few.
func (o *overlay) all(mutants []mutant, which []int) error {
	byFile := map[string][]int{}
	for _, i := range which {
		byFile[mutants[i].file] = append(byFile[mutants[i].file], i)
	}
	name := ""
	for file, list := range byFile {
		src, err := o.source(file)
		if err != nil {
			return err
		}
		if name == "" {
			name = string(packageClause.FindSubmatch(src)[1])
		}
		if err := o.put(file, bodies(src, mutants, list)); err != nil {
			return err
		}
	}
	return o.put("mutant_chosen.go", fmt.Appendf(nil, chooser, name))
}

var packageClause = regexp.MustCompile(`(?m)^package (\w+)`)

// bodies is the file with the bodies of its mutants. The compiler takes each body for a
// file of its own, with the number of the mutant in its name.
func bodies(src []byte, mutants []mutant, list []int) []byte {
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(mutants[a].body.from, mutants[b].body.from) })
	var out bytes.Buffer
	done := 0
	for k, i := range list {
		m := &mutants[i]
		b := m.body
		if k == 0 || mutants[list[k-1]].body.from != b.from {
			out.Write(src[done:b.from])
			out.WriteString("\nswitch mutantChosen {")
			done = b.from
		}
		// Where a mutant does not return, it must not go on as the original does.
		end := "return"
		if b.result {
			end = `panic("nothing is returned")`
		}
		fmt.Fprintf(&out, "\ncase %d:\n{\n//line mutant%d.go:1\n%s%s%s\n}\n%s", i, i, src[b.from:m.from], m.text, src[m.to:b.to], end)
		if k+1 == len(list) || mutants[list[k+1]].body.from != b.from {
			out.WriteString("\n}\n")
		}
	}
	out.Write(src[done:])
	return out.Bytes()
}

// list writes the file by which go finds the others.
func (o *overlay) list() (string, error) {
	text, err := json.Marshal(map[string]map[string]string{"Replace": o.replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(o.tmp, "overlay.json")
	return name, os.WriteFile(name, text, 0o600)
}

var errorLine = regexp.MustCompile(`(?m)^\S*\bmutant(\d+)\.go:\d+: `)

// broken tells from the compiler's messages which mutants do not compile.
func broken(log []byte) map[int]bool {
	out := map[int]bool{}
	for _, hit := range errorLine.FindAllSubmatch(log, -1) {
		if i, err := strconv.Atoi(string(hit[1])); err == nil {
			out[i] = true
		}
	}
	return out
}
