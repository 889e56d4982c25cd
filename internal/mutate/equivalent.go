package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed equivalent.txt
var equivalentText string

// readEquivalent reads the reasons why mutants cannot be noticed, by their names. A
// name stands at the beginning of a line and the reason, indented, below it; a # at
// the beginning makes a remark.
func readEquivalent(text string) (map[string]string, error) {
	reasons := map[string]string{}
	name := ""
	for i, line := range strings.Split(text, "\n") {
		words := strings.TrimSpace(line)
		switch {
		case words == "" || strings.HasPrefix(line, "#"):
		case words == line || words == strings.TrimRight(line, " "):
			name = words
			if _, ok := reasons[name]; ok {
				return nil, fmt.Errorf("line %d: %s stands there twice", i+1, name)
			}
			reasons[name] = ""
		case name == "":
			return nil, fmt.Errorf("line %d: a reason without a mutant", i+1)
		default:
			reasons[name] = strings.TrimSpace(reasons[name] + " " + words)
		}
	}
	for name, reason := range reasons {
		if reason == "" {
			return nil, fmt.Errorf("%s: no reason", name)
		}
	}
	return reasons, nil
}

// unused lists the names in reasons that no mutant has.
func unused(reasons map[string]string, mutants []mutant) []string {
	var out []string
	for name := range reasons {
		if !slices.ContainsFunc(mutants, func(m mutant) bool { return m.name() == name }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
