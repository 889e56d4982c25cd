package decode_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/overlap"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// FuzzJudge feeds bytes as a stream of records, cut by their own sizes: no bytes
// may make it panic, every write is handed out once with a verdict that its kind
// explains, and an incomplete one is never judged.
func FuzzJudge(f *testing.F) {
	for _, text := range scripts(f) {
		var stream []byte
		for _, raw := range parseScript(f, text).raw() {
			stream = append(stream, raw...)
		}
		f.Add(stream, uint8(model.Linux73))
		f.Add(stream, uint8(0))
	}
	for _, block := range blocks(f, "overlaps") {
		var stream []byte
		for _, s := range parseScripts(f, block) {
			stream = append(stream, slices.Concat(s.raw()...)...)
		}
		f.Add(stream, uint8(model.Linux73))
		f.Add(stream, uint8(model.Linux612))
	}
	f.Fuzz(func(t *testing.T, stream []byte, variant uint8) {
		if int(variant) > len(model.Variants()) {
			variant = 0
		}
		opts := judge.Options{Variant: model.Variant(variant), Seen: func(o *observe.Observation, v *judge.Verdict) { checkVerdict(t, o, v) }}
		j := judge.New(opts)
		both := newTwins(t, judge.Options{Variant: model.Variant(variant)})
		writes := uint64(0)
		for len(stream) > 0 {
			kind, size, err := record.KindOf(stream)
			if err != nil || size < 8 || size > len(stream) {
				size = len(stream)
			}
			if j.Feed(stream[:size]) == nil && kind == record.KindWrite {
				writes++
			}
			both.feedRaw(stream[:size])
			both.feedRaw(stream[:size]) // the second time it is known
			stream = stream[size:]
		}
		j.Expire(1 << 62)
		j.Flush()
		both.end()
		if got := j.Stats().Writes; got != writes {
			t.Errorf("%d writes fed, %d handed out", writes, got)
		}
		_ = j.Detector().Evidence()
	})
}

func checkVerdict(t *testing.T, o *observe.Observation, v *judge.Verdict) {
	switch {
	case o.Incomplete != "" && v.Kind != judge.Undecided:
		t.Errorf("incomplete (%s), yet judged %s", o.Incomplete, v.Kind)
	case (v.Kind == judge.Undecided) != (v.Missing != ""):
		t.Errorf("%s, missing %q", v.Kind, v.Missing)
	case v.Kind == judge.Agree && (v.Rules != 0 || len(v.Diffs) > 0 || len(v.Why()) != 1):
		t.Errorf("agrees, yet %v, rules %v", v.Why(), v.Rules)
	case v.Kind > judge.Agree && len(v.Why()) < 2:
		t.Errorf("%s without a word why: %v", v.Kind, v.Why())
	case o.Incomplete != "" && v.Rules|v.Hazards != 0 || o.Incomplete != "" && len(v.Overlaps) > 0:
		t.Errorf("incomplete (%s), yet rules %v, hazards %v, overlaps %v", o.Incomplete, v.Rules, v.Hazards, v.Overlaps)
	case v.Variant == 0 || v.Reason == "":
		t.Errorf("no variant or no reason: %+v", v)
	}
	for i := range v.Overlaps {
		checkOverlap(t, o, v, &v.Overlaps[i])
	}
}

// checkOverlap: it concerns the write at hand and another, names a piece of a file,
// and its rule is told of.
func checkOverlap(t *testing.T, o *observe.Observation, v *judge.Verdict, f *overlap.Pair) {
	at, other := f.Other, f.By
	if f.ByLast {
		at, other = other, at
	}
	if at.ID != o.ID || other.ID == o.ID || f.Len < 512 || f.Pos < 0 || f.Pos%f.Len != 0 {
		t.Errorf("write %d: %+v", o.ID, f)
	}
	if rule := f.Kind.Rule(); rule&^(v.Rules|v.Hazards) != 0 {
		t.Errorf("write %d: %s, but rules %v, hazards %v", o.ID, f, v.Rules, v.Hazards)
	}
}

// scripts are the records of the tests in words, each alone.
func scripts(t testing.TB) []string {
	var out []string
	for _, block := range blocks(t, "*") {
		out = append(out, strings.Split(block, "--\n")...)
	}
	return out
}

// blocks are the inputs of the tests in a folder of testdata.
func blocks(t testing.TB, folder string) []string {
	files, err := filepath.Glob("testdata/" + folder + "/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	var out []string
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split(string(data), "\n\n") {
			input, _, found := strings.Cut(block, "\n----\n")
			if !found {
				continue
			}
			var lines []string
			for _, l := range strings.Split(strings.TrimLeft(input, "\n"), "\n") {
				if !strings.HasPrefix(l, "#") {
					lines = append(lines, l)
				}
			}
			command, _, _ := strings.Cut(lines[0], " ")
			switch command {
			case "judge", "auto", "broken", "overlaps":
				out = append(out, strings.Join(lines[1:], "\n")+"\n")
			}
		}
	}
	if len(out) < 20 {
		t.Fatalf("only %d blocks", len(out))
	}
	return out
}

// TestEveryVariant judges every script as every variant: no panic, and verdicts
// that explain themselves.
func TestEveryVariant(t *testing.T) {
	for _, text := range scripts(t) {
		for _, v := range append(model.Variants(), 0) {
			j := judge.New(judge.Options{Variant: v, Seen: func(o *observe.Observation, ver *judge.Verdict) { checkVerdict(t, o, ver) }})
			for _, raw := range parseScript(t, text).raw() {
				if err := j.Feed(raw); err != nil {
					t.Fatal(err)
				}
			}
			j.Flush()
		}
	}
}

// TestAllocations: an ordinary write that agrees costs no allocation, from the raw
// record to the verdict.
func TestAllocations(t *testing.T) {
	for name, text := range ordinary {
		j, raws := ordinaryJudge(t, text)
		allocs := testing.AllocsPerRun(200, func() {
			for _, raw := range raws {
				if err := j.Feed(raw); err != nil {
					t.Fatal(err)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	for name, text := range ordinary {
		b.Run(name, func(b *testing.B) {
			j, raws := ordinaryJudge(b, text)
			b.ReportAllocs()
			for b.Loop() {
				for _, raw := range raws {
					if err := j.Feed(raw); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

var ordinary = map[string]string{
	"aligned": "entry pos=0 len=8192 isize=16384\npass shared\nfmod kiocb\ndio shared ops=iomap\nmap 0 16384 mapped\nreturn 8192",
	"stripe": "entry pos=512 len=14336 isize=16384\npass shared\nlookup 0 4 = 1 written\nlookup 3 1 = 1 written\n" +
		"fmod kiocb\ndio shared\nmap 0 4096 mapped\nmap 4096 8192 unwritten\nmap 12288 4096 mapped\nreturn 14336",
	"queued": "entry pos=0 len=4096 isize=16384 caller=libaio\npass shared\nfmod kiocb\ndio shared\nmap 0 4096 mapped\nreturn -529\ncomplete 4096",
	"nowait": "entry pos=0 len=4096 isize=16384 nowait caller=io_uring\npass shared\nfmod kiocb ret=-11\nreturn -11",
}

// ordinaryJudge is a Judge of a 7.3 kernel that has seen the write before.
func ordinaryJudge(t testing.TB, text string) (*judge.Judge, [][]byte) {
	j := judge.New(judge.Options{
		Evidence: model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.Yes},
		Seen: func(o *observe.Observation, v *judge.Verdict) {
			if v.Kind != judge.Agree {
				t.Fatalf("%s: %v", v.Kind, v.Why())
			}
		},
	})
	raws := parseScript(t, text).raw()
	for range 3 {
		for _, raw := range raws {
			if err := j.Feed(raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	return j, raws
}
