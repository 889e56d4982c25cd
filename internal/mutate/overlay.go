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
	"strings"
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
	lines    map[string][]span // by file, which lines belong to which mutant
}

// span are lines of a changed file, from 1, that are the body of one mutant.
type span struct{ first, last, mutant int }

func newOverlay(dir, tmp string) (*overlay, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &overlay{dir: dir, tmp: tmp, replace: map[string]string{}, lines: map[string][]span{}}, nil
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
		if err := o.put(file, o.bodies(file, src, mutants, list)); err != nil {
			return err
		}
	}
	return o.put("mutant_chosen.go", fmt.Appendf(nil, chooser, name))
}

var packageClause = regexp.MustCompile(`(?m)^package (\w+)`)

// bodies is the file with the bodies of its mutants.
func (o *overlay) bodies(file string, src []byte, mutants []mutant, list []int) []byte {
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
		first := bytes.Count(out.Bytes(), []byte("\n")) + 1
		fmt.Fprintf(&out, "\ncase %d:\n{\n%s%s%s\n}\n%s", i, src[b.from:m.from], m.text, src[m.to:b.to], end)
		o.lines[file] = append(o.lines[file], span{first, bytes.Count(out.Bytes(), []byte("\n")) + 1, i})
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

var errorLine = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):\d+: `)

// broken tells from the compiler's messages which mutants do not compile.
func (o *overlay) broken(log []byte) []int {
	var out []int
	for _, hit := range errorLine.FindAllSubmatch(log, -1) {
		line, err := strconv.Atoi(string(hit[2]))
		if err != nil || strings.HasSuffix(string(hit[1]), "_test.go") {
			continue
		}
		for _, s := range o.lines[filepath.Base(string(hit[1]))] {
			if s.first <= line && line <= s.last && !slices.Contains(out, s.mutant) {
				out = append(out, s.mutant)
			}
		}
	}
	return out
}
