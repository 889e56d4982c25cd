package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is committed is what bpf/record.h and the objects make.
func TestUpToDate(t *testing.T) {
	files, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the objects and %s make of it: run go generate ./record", name, header)
		}
	}
}

// Nothing of the wire is without words, but for padding and what a name tells.
func TestWords(t *testing.T) {
	words, err := os.ReadFile(filepath.Join("../..", header))
	if err != nil {
		t.Fatal(err)
	}
	l, err := read(filepath.Join("../..", object), string(words))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range l.Structs {
		for _, f := range s.Fields {
			if f.Words == "" && !strings.HasPrefix(f.C, "pad") && s.C != "step" {
				t.Errorf("%s says nothing of %s.%s", header, s.C, f.C)
			}
		}
	}
	if n := len(l.Kinds); n < 11 {
		t.Errorf("only %d kinds of steps have words", n)
	}
}
