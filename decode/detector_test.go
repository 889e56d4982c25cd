package decode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestStaticEvidence: which variants remain by symbols and types alone, the best
// first.
func TestStaticEvidence(t *testing.T) {
	const seven = "linux-7.3 series-v2 patch4 patch3 base linux-7.2"
	for _, tt := range []struct {
		name string
		e    model.Evidence
		want string
	}{
		{"6.1", model.Evidence{OverwriteBegin: model.Yes, IovMember: model.Yes, IomapNext: model.No}, "linux-6.1"},
		{"6.12", model.Evidence{OverwriteBegin: model.Yes, IovMember: model.No, IomapNext: model.No}, "linux-6.12"},
		{"6.x without BTF", model.Evidence{OverwriteBegin: model.Yes}, "linux-6.12 linux-6.1"},
		{"7.2", model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.No}, "linux-7.2 linux-7.3 series-v2 patch4 patch3 base"},
		{"7.3", model.Evidence{OverwriteBegin: model.No, IovMember: model.No, IomapNext: model.Yes}, seven},
		{"7.x", model.Evidence{OverwriteBegin: model.No}, "linux-7.3 series-v2 patch4 patch3 linux-7.2 base"},
		{"nothing", model.Evidence{}, "linux-7.3 series-v2 patch4 patch3 linux-7.2 base linux-6.12 linux-6.1"},
	} {
		d := judge.NewDetector(tt.e)
		var got []string
		for _, v := range d.Candidates() {
			got = append(got, v.String())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
		if d.Best().String() != got[0] || d.Settled() != (len(got) == 1) || len(d.Evidence()) == 0 {
			t.Errorf("%s: best %s, settled %v, evidence %v", tt.name, d.Best(), d.Settled(), d.Evidence())
		}
	}
}

// TestForced: a variant that the user chose is kept whatever is seen.
func TestForced(t *testing.T) {
	j := judge.New(judge.Options{Variant: model.Linux61, Evidence: model.Evidence{OverwriteBegin: model.No}})
	for _, text := range []string{ordinary["aligned"], ordinary["stripe"]} {
		if err := j.Feed(parseScript(t, text).raw()[0]); err != nil {
			t.Fatal(err)
		}
	}
	if d := j.Detector(); d.Best() != model.Linux61 || !d.Settled() {
		t.Errorf("best %s of %v", d.Best(), d.Candidates())
	}
	if s := j.Stats(); s.Disagree() != 2 {
		t.Errorf("stats %+v, want two disagreements", s)
	}
}

// TestUnprobed: what a probe that is not attached would have seen is not judged.
func TestUnprobed(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		no   record.Stages
		with judge.Kind // when the probe is attached
		want judge.Kind
	}{
		{"drain", "entry pos=512 len=1024 isize=16384\npass shared\nlookup 0 1 = 0 hole\npass exclusive\nlookup 0 1 = 0 hole\n" +
			"fmod kiocb\ndio exclusive wait\nmap 0 4096 mapped\nreturn 1024", record.StageDrain, judge.Differs, judge.Agree},
		{"zero", "entry pos=512 len=1024 isize=16384\npass shared\nlookup 0 1 = 0 hole\npass exclusive\nlookup 0 1 = 0 hole\ndrain\n" +
			"fmod kiocb\ndio exclusive wait\nmap 0 4096 unwritten\nreturn 1024", record.StageZero, judge.Differs, judge.Agree},
		{"fmod", "entry pos=0 len=4096 isize=16384 nowait\npass shared\nreturn -11", record.StageFmod, judge.Differs, judge.Undecided},
		{"lookup", "entry pos=512 len=1024 isize=16384\npass shared\nfmod kiocb\ndio shared\nmap 0 4096 mapped\nreturn 1024",
			record.StageLookup, judge.Differs, judge.Undecided},
		{"lookup that is not needed", "entry pos=0 len=4096 isize=16384\npass shared\nfmod kiocb\ndio shared\nmap 0 4096 mapped\nreturn 4096",
			record.StageLookup, judge.Agree, judge.Agree},
	} {
		for _, unprobed := range []record.Stages{0, tt.no} {
			want := tt.with
			if unprobed != 0 {
				want = tt.want
			}
			j := judge.New(judge.Options{Variant: model.Linux73, Unprobed: unprobed, Seen: func(_ *observe.Observation, v *judge.Verdict) {
				if v.Kind != want {
					t.Errorf("%s, unprobed %v: %s %v, want %s", tt.name, unprobed.Names(), v.Kind, v.Why(), want)
				}
			}})
			if err := j.Feed(parseScript(t, tt.text).raw()[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCloneIsIndependent: a clone keeps its values when the original is reused.
func TestCloneIsIndependent(t *testing.T) {
	var kept *observe.Observation
	ob := observe.NewObserver(func(o *observe.Observation) {
		if kept == nil {
			kept = o.Clone()
		}
	})
	feed(t, ob, parseScript(t, zeroingWrite).raw()...)
	want := kept.Clone()
	feed(t, ob, parseScript(t, "entry pos=0 len=8192 isize=99999\npass shared\nlookup 7 2 = 2 written\npass exclusive\nlookup 8 2 = 2 written\n"+
		"drain waited\ndio shared\nmap 8192 8192 mapped\nzero 1 2 shared mapped\nzero 3 4 shared mapped\nreturn 8192").raw()...)
	if kept.Passes[0].Lookups[0] != want.Passes[0].Lookups[0] || kept.Zeroed[1] != want.Zeroed[1] ||
		kept.Mappings[0] != want.Mappings[0] || *kept.Drain != *want.Drain {
		t.Errorf("the clone changed: %+v", kept)
	}
}

// TestCompare judges one observation by itself.
func TestCompare(t *testing.T) {
	ob, got := collect()
	feed(t, ob, parseScript(t, ordinary["stripe"]).raw()...)
	if v := judge.Compare((*got)[0], model.Linux73); v.Kind != judge.Agree || v.Expected.Lock != record.LockShared || v.Expected.Passes != 1 {
		t.Errorf("7.3: %+v", v)
	}
	if v := judge.Compare((*got)[0], model.Linux72); v.Kind != judge.Differs || v.Reason != "not overwrite" {
		t.Errorf("7.2: %+v", v)
	}
}

// TestStats: every write is counted once, by its verdict.
func TestStats(t *testing.T) {
	j := judge.New(judge.Options{Variant: model.Linux73})
	async := fmt.Sprintf(asyncWrite, 5, "")
	for _, text := range []string{
		ordinary["aligned"], ordinary["stripe"], async,
		"entry pos=0 len=4096 isize=16384\nreturn 4096",
		"entry pos=0 len=4096 isize=16384\npass exclusive\nfmod kiocb\ndio exclusive\nmap 0 4096 mapped\nreturn 4096",
	} {
		for _, raw := range parseScript(t, text).raw() {
			if err := j.Feed(raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := j.Stats()
	want := judge.Stats{Writes: 5, Incomplete: 1, Queued: 1}
	want.Requests.Tries = 5
	want.Kinds[judge.Agree], want.Kinds[judge.Undecided], want.Kinds[judge.Slower] = 3, 1, 1
	if got != want || got.Disagree() != 1 {
		t.Errorf("%+v, want %+v", got, want)
	}
}
