package validate

import (
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

func TestTraitsOfOptions(t *testing.T) {
	for text, want := range map[string]string{
		"rw\ndelalloc\nbarrier\n": "yes",
		"rw\nnodelalloc\n":        "no",
		"rw\n":                    "unknown",
	} {
		traits := Traits{}
		traits.readOptions(text)
		got := "unknown"
		if has, known := traits[traitDelalloc]; known {
			got = map[bool]string{true: "yes", false: "no"}[has]
		}
		if got != want {
			t.Errorf("%q: delalloc %s, want %s", text, got, want)
		}
	}
}

// What is not known is taken as met, so that a kernel that tells less does not
// test less.
func TestUnmetTraits(t *testing.T) {
	scs, err := Parse("x", []byte("requires extents=yes delalloc=no\nscenario s\nwrite pos=0 len=4K\nexpect all ret=4K\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		traits Traits
		want   string
	}{
		{Traits{}, ""},
		{Traits{traitExtents: true}, ""},
		{Traits{traitExtents: true, traitDelalloc: false}, ""},
		{Traits{traitExtents: false}, "needs extents=yes; the file system has extents=no"},
		{Traits{traitDelalloc: true}, "needs delalloc=no; the file system has delalloc=yes"},
	} {
		if got := unmet(scs[0].Requires, workload.FSInfo{}, c.traits); got != c.want {
			t.Errorf("%v: %q, want %q", c.traits, got, c.want)
		}
	}
	if _, err := Parse("x", []byte("requires extents=maybe\n")); err == nil || !strings.Contains(err.Error(), "yes or no") {
		t.Errorf("got %v", err)
	}
}
