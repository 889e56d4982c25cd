package model

import (
	"strings"
	"testing"
)

// TestVariantNames: what a patch more or less is called, and what it is.
func TestVariantsMadeOfPatches(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    Variant
		has  Behaviours
	}{
		{"linux-6.12+patch2", Linux612.WithPatch(2, true), Linux612.Behaviours() | DrainFallback},
		{"linux-7.3-patch1", Linux73.WithPatch(1, false), Linux73.Behaviours() &^ NowaitNoAlloc},
		{"linux-7.2+patch1+patch5", Linux72.WithPatch(5, true).WithPatch(1, true), Linux72.Behaviours() | NowaitNoAlloc | KiocbModified},
		{"linux-7.2-patch2+patch8", Linux72.WithPatch(8, true).WithPatch(2, false), Base.Behaviours() | NowaitCachedZeroing},
		// One that has a name is called by it.
		{"linux-7.2", Base.WithPatch(2, true), Linux72.Behaviours()},
		{"base", Linux72.WithPatch(2, false), Base.Behaviours()},
		{"series-v2", Linux73.WithPatch(6, true).WithPatch(7, true).WithPatch(8, true), SeriesV2.Behaviours()},
		{"linux-7.3", Linux73.WithPatch(6, true).WithPatch(6, false), Linux73.Behaviours()},
		{"linux-7.3", Linux73.WithPatch(1, true), Linux73.Behaviours()},
	} {
		if got := tt.v.String(); got != tt.name {
			t.Errorf("the name is %q, want %q", got, tt.name)
		}
		if got := tt.v.Behaviours(); got != tt.has {
			t.Errorf("%s has %#x, want %#x", tt.name, got, tt.has)
		}
		if got, err := ParseVariant(tt.name); err != nil || got.Behaviours() != tt.has {
			t.Errorf("ParseVariant(%q) = %v, %v", tt.name, got, err)
		}
	}
	if got := Linux73.WithPatch(1, false).Named(); got != Linux73 {
		t.Errorf("linux-7.3-patch1 is made from %v", got)
	}
	for n := 1; n <= Patches; n++ {
		if b := PatchBehaviour(n); Base.Has(b) || !SeriesV2.Has(b) || !Base.WithPatch(n, true).Has(b) {
			t.Errorf("patch %d is not what the series adds to its base", n)
		}
	}
}

// TestOpen: what is open is not had by a variant's own name, and can be held besides.
func TestOpen(t *testing.T) {
	for _, v := range Variants() {
		open := v.Open()
		if want := v == Linux61 || v == Linux612; (open == DrainFallback) != want || !want && open != 0 {
			t.Errorf("%s leaves %#x open", v, open)
		}
		if v.Behaviours()&open != 0 {
			t.Errorf("%s has %#x, and leaves that open", v, open)
		}
	}
	if v := Linux612.WithPatch(2, true); v.Open() != DrainFallback || PatchOf(v.Open()) != 2 {
		t.Errorf("%s leaves %#x open", v, v.Open())
	}
	if PatchTitle(1) != "no sleeping allocation under NOWAIT" || !strings.HasPrefix(PatchTitle(Patches), "ext4_dio_needs_zeroing") {
		t.Errorf("the first and the last patch are %q and %q", PatchTitle(1), PatchTitle(Patches))
	}
	if Variant(0).Open() != 0 || Variant(0xff).Open() != 0 || PatchOf(EncryptAligned) != 0 {
		t.Error("no variant, or no patch, is one")
	}
}

func TestNoVariants(t *testing.T) {
	for _, name := range []string{
		"", "+patch1", "linux", "linux-7.3+patch1", "linux-7.3-patch6", "linux-7.3-patch0", "linux-7.3+patch9",
		"linux-7.3patch1", "linux-7.3-patch", "linux-7.3-patch1-patch1", "linux-7.3*patch6", "linux-7.3*patch1", "linux-7.3+", "linux-7.30", "linux-7.3-patch12",
	} {
		if v, err := ParseVariant(name); err == nil {
			t.Errorf("ParseVariant(%q) = %v", name, v)
		}
	}
}
