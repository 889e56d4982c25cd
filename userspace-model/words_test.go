package model

import (
	"fmt"
	"testing"
)

// TestWords: the words of every enumeration, and of a value that there is not.
func TestWords(t *testing.T) {
	tests := []struct {
		got  fmt.Stringer
		want string
	}{
		{EndUnknown, "unknown"}, {EndDio, "direct I/O"}, {EndBuffered, "buffered"}, {EndChecks, "write checks"},
		{EndModified, "file_modified"}, {EndN0, "N0"}, {EndN1, "N1"}, {EndN2, "N2"}, {EndN3, "N3"}, {EndN4, "N4"},
		{EndEntry, "entry checks"}, {EndDAX, "DAX"}, {EndDAX + 1, "unknown"}, {End(255), "unknown"},
		{SubmitNone, "not entered"}, {SubmitDone, "direct I/O"}, {SubmitN5, "N5"}, {SubmitN6, "N6"},
		{SubmitAtomic, "atomic, page cache"}, {SubmitFallback, "buffered fallback"}, {SubmitError, "error"},
		{SubmitUnknown + 1, "error"}, {SubmitEnd(255), "error"},
		{FileModified, "file_modified"}, {KiocbModifiedFn, "kiocb_modified"},
		{Unknown, "unknown"}, {No, "no"}, {Yes, "yes"}, {Answer(3), "unknown"},
		{Unlocked, "none"}, {Shared, "shared"}, {Exclusive, "exclusive"}, {Mode(3), "none"},
		{Hole, "hole"}, {Written, "written"}, {Unwritten, "unwritten"}, {Delayed, "delayed"}, {LookupError, "error"},
		{BlockState(5), "error"}, {BlockState(255), "error"},
		{CacheMerged, "merged"}, {CacheCold, "cold"},
		{SeriesV2, "series-v2"}, {Variant(len(variants)), fmt.Sprintf("variant(%d)", len(variants))}, {Variant(255), "variant(255)"},
	}
	for _, tt := range tests {
		if got := tt.got.String(); got != tt.want {
			t.Errorf("%T(%d): %q, want %q", tt.got, tt.got, got, tt.want)
		}
	}
	for i, want := range "HWUD?" {
		if got := BlockState(i).Letter(); got != byte(want) {
			t.Errorf("%s: letter %q, want %q", BlockState(i), got, want)
		}
	}
	if AnswerOf(true) != Yes || AnswerOf(false) != No {
		t.Error("AnswerOf")
	}
	if beyond := Variant(len(variants)); beyond.Behaviours() != 0 {
		t.Errorf("a variant that there is not has behaviours %#x", beyond.Behaviours())
	}
}

// TestWordsOfSteps: function, test and outcome of steps, in the kernel's words.
func TestWordsOfSteps(t *testing.T) {
	tests := []struct {
		step Step
		want string
	}{
		{Step{ID: stepGuess, Answer: No, A: 512, B: 4096}, "ext4_dio_write_iter: end 512 > i_size 4096, without a lock: no"},
		{Step{ID: stepGuess, Answer: Yes, A: 5000, B: 4096}, "ext4_dio_write_iter: end 5000 > i_size 4096, without a lock: yes: needs the exclusive lock"},
		{Step{ID: stepLookup, Answer: Unknown, A: 3, B: 2}, "ext4_map_blocks: block 3, 2 blocks: not known"},
		{Step{ID: stepFirstLock, Answer: No, A: 7, B: 7}, "ext4_dio_write_iter: first lock: shared"},
		{Step{ID: stepModified, Answer: Yes, B: int64(FileModified)}, "file_modified: returned 0: go on"},
		{Step{ID: stepModified, Answer: No, A: -11, B: int64(KiocbModifiedFn)}, "kiocb_modified: returned -11: an error ends the write"},
		{Step{ID: stepUnaligned, Answer: No, A: 512, B: int64(KiocbModifiedFn)}, "ext4_unaligned_io: ki_pos 512, alignment 0x2: aligned"},
		{Step{ID: stepUnaligned, Answer: No, A: int64(EndN0)}, fmt.Sprintf("ext4_unaligned_io: ki_pos %d, alignment 0x0: aligned", EndN0)},
		{Step{ID: stepEnd, Answer: Yes, A: int64(EndN0)}, "ext4_buffered_write_iter: under NOWAIT: -EOPNOTSUPP: no direct I/O, so it is buffered (N0)"},
		{Step{ID: stepEnd, Answer: Yes, A: int64(EndN2)}, "ext4_dio_write_iter: under NOWAIT: -EAGAIN: needs the exclusive lock (N2)"},
		{Step{ID: stepEnd, Answer: Yes, A: int64(EndN4), B: int64(KiocbModifiedFn)}, "ext4_dio_write_iter: under NOWAIT: -EAGAIN: time stamps have to be updated (N4)"},
	}
	for _, tt := range tests {
		if got := tt.step.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	for id := stepUnalignedEntry; id <= stepEnd; id++ {
		want := id == stepSync || id == stepDrain || id == stepModified || id == stepOrphan || id == stepOps || id == stepDio
		if got := (Step{ID: id}).AfterChecks(); got != want {
			t.Errorf("step %d (%s) after the checks: %v", id, Step{ID: id}.Func(), got)
		}
	}
}

// TestStepsFit: more steps than there is room for are left out, the first stay.
func TestStepsFit(t *testing.T) {
	var d Decision
	for i := range 2 * maxSteps {
		d.step(stepLookup, 1, Yes, int64(i), 2)
	}
	if n := len(d.Steps()); n != maxSteps {
		t.Fatalf("%d steps", n)
	}
	for i, s := range d.Steps() {
		if want := (Step{ID: stepLookup, Pass: 1, Answer: Yes, A: int64(i), B: 2}); s != want {
			t.Errorf("step %d: %+v, want %+v", i, s, want)
		}
	}
}

// TestVariantsHold: what each variant has of the changes that no lock depends on.
func TestVariantsHold(t *testing.T) {
	want := map[Variant]string{
		Linux61: "", Linux612: "overwrite-unwritten unaligned-shared ",
		Linux72:  "overwrite-unwritten unaligned-shared single-ops split-at-end-io ",
		Base:     "overwrite-unwritten unaligned-shared single-ops split-at-end-io ",
		Patch3:   "overwrite-unwritten unaligned-shared single-ops split-at-end-io ",
		Patch4:   "overwrite-unwritten unaligned-shared single-ops split-at-end-io ",
		Linux73:  "overwrite-unwritten unaligned-shared single-ops split-at-end-io encrypt-aligned ",
		SeriesV2: "overwrite-unwritten unaligned-shared single-ops split-at-end-io encrypt-aligned ",
	}
	for _, v := range Variants() {
		got := ""
		for _, b := range []struct {
			name string
			has  Behaviours
		}{
			{"overwrite-unwritten ", OverwriteUnwritten}, {"unaligned-shared ", UnalignedShared}, {"single-ops ", SingleOps},
			{"split-at-end-io ", SplitAtEndIO}, {"encrypt-aligned ", EncryptAligned},
		} {
			if v.Has(b.has) {
				got += b.name
			}
		}
		if want := want[v.Alike()]; got != want {
			t.Errorf("%s has %q, want %q", v, got, want)
		}
	}
	if v := Linux612; v.Has(OverwriteUnwritten | SingleOps) {
		t.Error("6.12 has one of two, but not both")
	}
}

// TestBehaviourNames: the names in texts are those of the constants.
func TestBehaviourNames(t *testing.T) {
	for name, b := range map[string]Behaviours{
		"OverwriteUnwritten": OverwriteUnwritten, "UnalignedShared": UnalignedShared, "SingleOps": SingleOps, "SplitAtEndIO": SplitAtEndIO,
		"NowaitNoAlloc": NowaitNoAlloc, "DrainFallback": DrainFallback, "AlignedUnchecked": AlignedUnchecked, "NeedsZeroing": NeedsZeroing,
		"KiocbModified": KiocbModified, "EncryptAligned": EncryptAligned, "CachedMissEagain": CachedMissEagain,
		"NowaitCachedBegin": NowaitCachedBegin, "NowaitCachedZeroing": NowaitCachedZeroing, "Nothing": 0, "": 0,
	} {
		if got := BehaviourNamed(name); got != b {
			t.Errorf("%q is %#x, want %#x", name, got, b)
		}
	}
	if n := len(BehaviourNames()); 1<<(n-1) != NowaitCachedZeroing {
		t.Errorf("%d names, but the last behaviour is %#x", n, NowaitCachedZeroing)
	}
}

// TestRefusals: an end at which NOWAIT gives up says the error, what for, and its label.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{EndN0.Text(), "-EOPNOTSUPP: no direct I/O, so it is buffered (N0)"}, {EndN1.Text(), "-EAGAIN: i_rwsem is held: trylock fails (N1)"},
		{EndN3.Text(), "-EAGAIN: it has to wait for I/O (N3)"}, {EndDio.Text(), "direct I/O"}, {EndDAX.Text(), "DAX"}, {End(200).Text(), "unknown"},
		{SubmitN5.Text(), "-EAGAIN: the range is in the page cache (N5)"}, {SubmitDone.Text(), "direct I/O"},
		{SubmitN6.Text(), "-EAGAIN: no allocation, and no mapping that is not in the extent cache (N6)"},
		{EndN2.Refusal(), "needs the exclusive lock"}, {EndChecks.Refusal(), ""}, {End(len(refusals)).Refusal(), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
