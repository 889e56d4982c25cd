package model

import (
	"strings"
	"testing"
)

// blind is a world in which some facts are not known.
type blind struct {
	*scene
	noLookup  bool
	noSecond  bool
	noMod     bool
	noAlign   bool
	noDio     bool
	noTrylock bool
}

func (b blind) Lookup(pass int, q Query) (Result, bool) {
	if b.noLookup {
		return Result{}, false
	}
	return b.scene.Lookup(pass, q)
}

func (b blind) Checks(pass int) (Checks, bool) {
	c, ok := b.scene.Checks(pass)
	if b.noAlign {
		c.Align.Known = false
	}
	return c, ok && !(pass == 1 && b.noSecond)
}

func (b blind) Modified() (int, bool) { return 0, !b.noMod }

func (b blind) Trylock(m Mode) Answer {
	if b.noTrylock {
		return Unknown
	}
	return b.scene.Trylock(m)
}

func (b blind) UseDio() Answer {
	if b.noDio {
		return Unknown
	}
	return b.scene.UseDio()
}

// TestUnknownFacts: a fact that is not known ends the decision with its name,
// unless the outcome does not depend on it.
func TestUnknownFacts(t *testing.T) {
	tests := []struct {
		name    string
		row     string
		variant Variant
		hide    func(*blind)
		missing string
		mode    Mode // settled nevertheless
	}{
		{"lookup of an unaligned write", "x WW pos=512 len=1024", Linux73, func(b *blind) { b.noLookup = true }, "answer of a lookup", Unlocked},
		{"lookup of an aligned write", "x WW pos=0 len=8192", Linux73, func(b *blind) { b.noLookup = true }, "", Shared},
		{"lookup where nosec settles it", "x WW pos=0 len=8192 insecure", Linux72, func(b *blind) { b.noLookup = true }, "", Exclusive},
		{"lookup that only the drain needs", "x WW pos=512 len=1024 isize0=0", Linux72, func(b *blind) { b.noLookup = true }, "", Exclusive},
		{"lookup under NOWAIT, guessed exclusive", "x WW pos=512 len=1024 isize0=0 nowait", Linux73, func(b *blind) { b.noLookup = true }, "answer of a lookup", Exclusive},
		{"second pass", "x UU pos=512 len=1024", Linux73, func(b *blind) { b.noSecond = true }, "the checks of this pass", Exclusive},
		{"file_modified", "x WW pos=0 len=4096", Linux72, func(b *blind) { b.noMod = true }, "return value of file_modified", Shared},
		{"kiocb_modified", "x WW pos=0 len=4096", Linux73, func(b *blind) { b.noMod = true }, "return value of kiocb_modified", Shared},
		{"alignment", "x WW pos=0 len=4096", Linux73, func(b *blind) { b.noAlign = true }, "alignment of the iov_iter", Unlocked},
		{"alignment, guessed exclusive", "x WW pos=0 len=4096 isize0=0", Linux73, func(b *blind) { b.noAlign = true }, "alignment of the iov_iter", Exclusive},
		{"alignment of an unaligned position", "x WW pos=512 len=1024", Linux73, func(b *blind) { b.noAlign = true }, "", Shared},
		{"direct I/O", "x WW pos=0 len=4096", Linux73, func(b *blind) { b.noDio = true }, "whether the inode supports direct I/O", Unlocked},
		{"trylock", "x WW pos=0 len=4096 nowait", Linux73, func(b *blind) { b.noTrylock = true }, "result of the trylock", Unlocked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := blind{scene: parseScene(t, tt.row)}
			tt.hide(&b)
			var d Decision
			Decide(&d, b.call(), b, tt.variant)
			if d.Missing != tt.missing || d.Known() != (tt.missing == "") {
				t.Errorf("missing %q, known %v; want missing %q", d.Missing, d.Known(), tt.missing)
			}
			if d.Mode != tt.mode {
				t.Errorf("mode %s, want %s", d.Mode, tt.mode)
			}
		})
	}
}

// TestUnknownAlignmentAtEntry: 6.1 needs the alignment at entry for the lock, but
// not when the trylock failed whatever the mode.
func TestUnknownAlignmentAtEntry(t *testing.T) {
	s := parseScene(t, "x WW pos=0 len=4096 nowait")
	c := s.call()
	c.Align.Known = false
	var d Decision
	Decide(&d, c, s, Linux61)
	if d.Missing != "alignment of the iov_iter at entry" {
		t.Errorf("missing %q", d.Missing)
	}
	s.trylock = No
	Decide(&d, c, s, Linux61)
	if d.End != EndN1 || d.Ret != EAGAIN {
		t.Errorf("ends at %s with %d, want N1", d.End, d.Ret)
	}
	Decide(&d, c, s, Linux612)
	if d.End != EndN1 {
		t.Errorf("6.12 ends at %s, want N1", d.End)
	}
}

// TestUnknownDrain: a lookup that was not seen leaves only the drain open when
// the lock is exclusive by the guess.
func TestUnknownDrain(t *testing.T) {
	b := blind{scene: parseScene(t, "x WW pos=512 len=1024 isize0=0"), noLookup: true}
	var d Decision
	Decide(&d, b.call(), b, Linux72)
	if d.Drain != Unknown || d.ForceWait != Yes || d.Zeroing != Unknown {
		t.Errorf("drain %s, force wait %s, zeroing %s; want unknown, yes, unknown", d.Drain, d.ForceWait, d.Zeroing)
	}
	Decide(&d, b.call(), b, Linux73)
	if d.Drain != Unknown || d.ForceWait != Unknown {
		t.Errorf("7.3: drain %s, force wait %s; want both unknown", d.Drain, d.ForceWait)
	}
}

func TestQueue(t *testing.T) {
	tests := []struct {
		row  string
		want Answer
	}{
		{"x WW pos=0 len=4096 async", Yes},
		{"x WW pos=0 len=4096", No},
		{"x WW pos=8192 len=4096 async", No},
		{"x UU pos=512 len=1024 async", No},
	}
	for _, tt := range tests {
		s := parseScene(t, tt.row)
		var d Decision
		Decide(&d, s.call(), s, Linux73)
		if d.Queue != tt.want {
			t.Errorf("%s: queue %s, want %s", tt.row, d.Queue, tt.want)
		}
	}
}

func TestOperations(t *testing.T) {
	tests := []struct {
		row     string
		variant Variant
		want    bool
	}{
		{"x WW pos=0 len=8192", Linux61, true},
		{"x UU pos=0 len=8192", Linux61, false},
		{"x WW pos=0 len=8192", Linux612, true},
		{"x UU pos=0 len=8192", Linux612, false}, // shared, but has to be split
		{"x WW pos=512 len=512", Linux612, true},
		{"x WW pos=0 len=8192 insecure", Linux612, false},
		{"x WW pos=0 len=8192", Linux72, false},
		{"x WW pos=0 len=8192", Linux73, false},
	}
	for _, tt := range tests {
		s := parseScene(t, tt.row)
		var d Decision
		Decide(&d, s.call(), s, tt.variant)
		if d.Overwrite != tt.want {
			t.Errorf("%s: %s: ext4_iomap_overwrite_ops %v, want %v", tt.variant, tt.row, d.Overwrite, tt.want)
		}
	}
}

func TestModifier(t *testing.T) {
	for _, v := range Variants() {
		s := parseScene(t, "x WW pos=0 len=4096")
		var d Decision
		Decide(&d, s.call(), s, v)
		want := "file_modified"
		if a := v.Alike(); a == Linux73 || a == SeriesV2 {
			want = "kiocb_modified"
		}
		if d.Modifier.String() != want {
			t.Errorf("%s: %s, want %s", v, d.Modifier, want)
		}
	}
}

// TestZeroing: head and tail of the mapping types of iomap_dio_bio_iter.
func TestZeroing(t *testing.T) {
	tests := []struct {
		name       string
		pos, end   int64
		isize      int64
		typ, flags uint16
		head, tail Range
	}{
		{"unwritten, both partial", 512, 1536, 65536, IomapUnwritten, 0, Range{0, 512}, Range{1536, 2560}},
		{"unwritten, whole", 0, 4096, 65536, IomapUnwritten, 0, Range{}, Range{}},
		{"new", 4608, 8192, 65536, IomapMapped, IomapFNew, Range{4096, 512}, Range{}},
		{"written", 512, 1536, 65536, IomapMapped, 0, Range{}, Range{}},
		{"written, ends at i_size", 512, 1536, 1536, IomapMapped, 0, Range{}, Range{1536, 2560}},
		{"written, ends beyond i_size", 512, 1536, 1000, IomapMapped, 0, Range{}, Range{1536, 2560}},
		{"written, ends before i_size", 512, 1536, 1537, IomapMapped, 0, Range{}, Range{}},
		{"written, ends at i_size and block", 512, 4096, 4096, IomapMapped, 0, Range{}, Range{}},
		{"dirty is not new", 512, 1536, 65536, IomapMapped, 2, Range{}, Range{}},
	}
	for _, tt := range tests {
		if got := Head(tt.pos, 12, tt.typ, tt.flags); got != tt.head {
			t.Errorf("%s: head %v, want %v", tt.name, got, tt.head)
		}
		if got := Tail(tt.end, tt.isize, 12, tt.typ, tt.flags); got != tt.tail {
			t.Errorf("%s: tail %v, want %v", tt.name, got, tt.tail)
		}
	}
	if got := Tail(4096+100, 1<<30, 16, IomapUnwritten, 0); got != (Range{4196, 65536 - 4196}) {
		t.Errorf("64 KiB blocks: tail %v", got)
	}
}

func TestEOFTail(t *testing.T) {
	tests := []struct {
		zero, isize int64
		typ, flags  uint16
		want        bool
	}{
		{1536, 1536, IomapMapped, 0, true},
		{1536, 1537, IomapMapped, 0, false},
		{1536, 1536, IomapUnwritten, 0, false},
		{1536, 1536, IomapMapped, IomapFNew, false},
	}
	for _, tt := range tests {
		if got := EOFTail(tt.zero, tt.isize, tt.typ, tt.flags); got != tt.want {
			t.Errorf("EOFTail(%+v) = %v", tt, got)
		}
	}
}

// TestAllocFlags is kernel by kernel what ext4_iomap_alloc asks for.
func TestAllocFlags(t *testing.T) {
	tests := []struct {
		v            Variant
		start, isize int64
		extents      bool
		want         uint32
	}{
		{Linux61, 8192, 8192, true, 0x1},
		{Linux61, 4096, 8192, true, 0xB},
		{Linux612, 4096, 5000, true, 0xB}, // the block straddles i_size
		{Linux72, 4096, 8192, true, 0x3},
		{Linux73, 4096, 8192, true, 0x3},
		{Linux73, 8192, 8192, true, 0x1},
		{Linux73, 8192, 8192, false, 0x1},
		{Linux73, 4096, 8192, false, 0},
		{Linux61, 4096, 8192, false, 0},
	}
	for _, tt := range tests {
		if got := AllocFlags(tt.v, tt.start, tt.isize, tt.extents); got != tt.want {
			t.Errorf("%s: start %d, i_size %d, extents %v: %#x, want %#x", tt.v, tt.start, tt.isize, tt.extents, got, tt.want)
		}
	}
}

func TestBeginMayEagain(t *testing.T) {
	for _, v := range Variants() {
		a := v.Alike()
		want := a == Patch3 || a == Patch4 || a == Linux73 || a == SeriesV2
		if got := BeginMayEagain(v, true); got != want {
			t.Errorf("%s: %v under NOWAIT, want %v", v, got, want)
		}
		if missed := v.WithPatch(7, true); BeginMayEagain(missed, true) != (want || v.Has(CachedMissEagain)) {
			t.Errorf("%s: not as a miss reads", missed) // a hole, until patch 6
		}
		if BeginMayEagain(v, false) {
			t.Errorf("%s: -EAGAIN without NOWAIT", v)
		}
	}
}

func TestStateOf(t *testing.T) {
	tests := []struct {
		ret    int32
		mflags uint32
		want   string
	}{
		{1, MapMapped, "written"},
		{4, MapMapped | MapNew, "written"},
		{1, MapUnwritten, "unwritten"},
		{0, 0, "hole"},
		{0, MapDelayed, "delayed"},
		{-5, 0, "error"},
		{-11, 0, "error"},
	}
	for _, tt := range tests {
		if got := StateOf(tt.ret, tt.mflags).String(); got != tt.want {
			t.Errorf("StateOf(%d, %#x) = %s, want %s", tt.ret, tt.mflags, got, tt.want)
		}
	}
	if BlockState(5).String() != "error" {
		t.Error("a state out of range has no name")
	}
}

func TestVariants(t *testing.T) {
	want := "linux-6.1 linux-6.12 linux-7.2 base patch3 patch4 linux-7.3 series-v2"
	if got := strings.Join(VariantNames(), " "); !strings.HasPrefix(got+" ", want+" ") { // later ones follow
		t.Errorf("variants %q, want %q", got, want)
	}
	for _, v := range Variants() {
		got, err := ParseVariant(v.String())
		if err != nil || got != v {
			t.Errorf("ParseVariant(%q) = %v, %v", v.String(), got, err)
		}
		text, _ := v.MarshalText()
		var back Variant
		if err := back.UnmarshalText(text); err != nil || back != v {
			t.Errorf("%s does not survive its text: %v, %v", v, back, err)
		}
	}
	_, err := ParseVariant("linux-8.0")
	if err == nil || !strings.Contains(err.Error(), "linux-7.3") {
		t.Errorf("unknown variant: error %v does not list the variants", err)
	}
	if Variant(0).String() != "" || Variant(0).Behaviours() != 0 {
		t.Error("the zero variant has a name or a behaviour")
	}
	var none Variant = Linux73
	if err := none.UnmarshalText(nil); err != nil || none != 0 {
		t.Errorf("empty text: %v, %v", none, err)
	}
}

// TestPatchesOfVariants: which of the eight patches each variant holds.
func TestPatchesOfVariants(t *testing.T) {
	patches := []Behaviours{
		NowaitNoAlloc, DrainFallback, AlignedUnchecked, NeedsZeroing,
		KiocbModified, CachedMissEagain, NowaitCachedBegin, NowaitCachedZeroing,
	}
	want := map[Variant]string{
		Linux61: "", Linux612: "", Linux72: "2", Base: "",
		Patch3: "123", Patch4: "1234", Linux73: "12345", SeriesV2: "12345678",
	}
	for v, list := range want {
		got := ""
		for i, p := range patches {
			if v.Has(p) {
				got += string(rune('1' + i))
			}
		}
		if got != list {
			t.Errorf("%s holds patches %q, want %q", v, got, list)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	rows := map[string]string{
		"aligned":   "x WW pos=0 len=8192",
		"unaligned": "x WUUW pos=512 len=14336",
		"restart":   "x UU pos=512 len=1024",
	}
	for name, row := range rows {
		b.Run(name, func(b *testing.B) {
			s := parseScene(b, row)
			w := answered{s}
			c := s.call()
			var d Decision
			b.ReportAllocs()
			for b.Loop() {
				Decide(&d, c, w, Linux73)
			}
		})
	}
}

// answered is a world with ready answers, so that only the model is measured.
type answered struct{ *scene }

func (a answered) Lookup(_ int, q Query) (Result, bool) {
	if a.blocks[q.Lblk] == 'W' {
		return Result{Ret: 1, MFlags: MapMapped}, true
	}
	return Result{Ret: 1, MFlags: MapUnwritten}, true
}
