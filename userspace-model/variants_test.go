package model

import (
	"fmt"
	"slices"
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

// TestForeignPatches: 6.1 has no code that patches 3, 4 and 8 change.
func TestForeignPatches(t *testing.T) {
	for n := 1; n <= Patches; n++ {
		_, err := ParseVariant(fmt.Sprintf("linux-6.1+patch%d", n))
		foreign := n == 3 || n == 4 || n == 8
		if (err != nil) != foreign || Linux61.WithPatch(n, true).Has(PatchBehaviour(n)) == foreign {
			t.Errorf("linux-6.1+patch%d: %v", n, err)
		}
	}
	if _, err := ParseVariant("linux-6.1+patch4"); err == nil || err.Error() != `variant "linux-6.1+patch4": linux-6.1 has no code that patch 4 changes` {
		t.Errorf("the error is %v", err)
	}
}

// TestRowsOfVariants: each row is complete, and what a detector prefers is one order.
func TestRowsOfVariants(t *testing.T) {
	at := map[int]Variant{}
	for _, v := range Variants() {
		if v.Since() == "" || v.Other() == 0 || v.Signs() == (Evidence{}) {
			t.Errorf("the row of %s has holes: %+v", v, *v.row())
		}
		if other, ok := at[v.Preference()]; ok || v.Preference() < 1 {
			t.Errorf("%s and %s are both preferred as %d", v, other, v.Preference())
		}
		at[v.Preference()] = v
		if v.Written() != v {
			t.Errorf("the answers for %s are those for %v", v, v.Written())
		}
	}
	for v, want := range map[Variant]Variant{
		Linux61: Linux73, Linux73: SeriesV2, SeriesV2: SeriesV2, Linux73.WithPatch(1, false): Linux73, Linux612.WithPatch(2, true): Linux73,
	} {
		if got := v.Other(); got != want {
			t.Errorf("%s is compared with %s, want %s", v, got, want)
		}
	}
	for v, want := range map[Variant]Variant{Linux612.WithPatch(2, true): Linux612, Linux612.WithPatch(1, true): 0, Linux73.WithPatch(1, false): 0} {
		if got := v.Written(); got != want {
			t.Errorf("the answers for %s are those for %v, want %v", v, got, want)
		}
	}
}

// TestManyPatches: a variant has room for more patches than the series has.
func TestManyPatches(t *testing.T) {
	if room := 32 - rowBits; room < 3*Patches-8 || Patches > room || len(variants) >= 1<<rowBits {
		t.Errorf("room for %d patches and %d rows", room, 1<<rowBits)
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

// TestDistinct: what decides alike is told by the older name. The oldest has no behaviour of
// later kernels, as what is no variant has none.
func TestDistinct(t *testing.T) {
	want := slices.DeleteFunc(Variants(), func(v Variant) bool { return v == LinuxNext })
	if got := Distinct(); !slices.Equal(got, want) {
		t.Errorf("distinct are %v, want %v", got, want)
	}
	if got := Linux61.Alike(); got != Linux61 {
		t.Errorf("linux-6.1 decides as %d does", got)
	}
	if beyond := Variant(len(variants)); beyond.Behaviours() != 0 || beyond.Since() != "" {
		t.Errorf("variant %d has %#x since %q", beyond, beyond.Behaviours(), beyond.Since())
	}
}
