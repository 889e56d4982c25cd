package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestUnread: a behaviour that stands in tables only is named, and one that a condition
// asks for is not.
func TestUnread(t *testing.T) {
	dir := t.TempDir()
	src := `package x
type Behaviours uint32
const (
	Used Behaviours = 1 << iota
	UsedWithOther
	Listed
	Counted
)
const other = 7
var rows = []Behaviours{Used | Listed | UsedWithOther}
func f(v Variant) bool {
	if v.Has(Used) { return true }
	n := Counted
	return n != 0 && v.Has(UsedWithOther|Used)
}`
	if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x_test.go"), []byte("package x\nfunc g(v Variant) { v.Has(Listed) }"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := unread(dir)
	if err != nil || !slices.Equal(got, []string{"Listed", "Counted"}) {
		t.Errorf("unread: %v, %v; want Listed and Counted", got, err)
	}
	var out strings.Builder
	if err := run(t.Context(), []string{"-list", dir}, &out); err != errLeft {
		t.Errorf("a run with unread behaviours ends in %v, want %v", err, errLeft)
	}
	for _, want := range []string{"no condition reads Listed", "no condition reads Counted"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said:\n%s", want, out.String())
		}
	}
}

// TestEveryBehaviourIsRead holds for the model: each change of a commit has an effect.
func TestEveryBehaviourIsRead(t *testing.T) {
	got, err := unread("../../userspace-model")
	if err != nil || len(got) > 0 {
		t.Errorf("no condition of userspace-model reads %v, %v", got, err)
	}
}
