package workload

import (
	"errors"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

var fs4k = FSInfo{BlockSize: 4096, Sector: 512}

func mustPlan(t *testing.T, cfg Config, fs FSInfo) *Plan {
	t.Helper()
	p, err := NewPlan(cfg, fs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanFollowsFromTheSeed(t *testing.T) {
	a := mustPlan(t, Config{Seed: 7}, fs4k)
	b := mustPlan(t, Config{Seed: 7}, fs4k)
	c := mustPlan(t, Config{Seed: 8}, fs4k)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave two plans")
	}
	if reflect.DeepEqual(a.Tasks, c.Tasks) {
		t.Error("two seeds gave the same writes")
	}
}

func TestMixedHasEverything(t *testing.T) {
	p := mustPlan(t, Config{}, fs4k)
	kinds, engines, flags, writes := map[Kind]int{}, map[EngineName]int{}, 0, 0
	for _, ops := range p.Tasks {
		for _, o := range ops {
			kinds[o.Kind]++
			engines[o.Engine]++
			flags |= o.Flags
			writes++
		}
	}
	if len(p.Tasks) < 2 || writes < 400 {
		t.Errorf("%d writes by %d tasks, want at least 400 by several", writes, len(p.Tasks))
	}
	for _, k := range []Kind{Aligned, Unaligned, Memory, Segments, Boundaries, Stripes, Zeroing, TailZeroing, Holes,
		HolesZeroing, Extending, ExtendingUnaligned, Append} {
		if kinds[k] < 4 {
			t.Errorf("only %d writes of kind %s", kinds[k], k)
		}
	}
	for _, e := range []EngineName{Pwrite, Pwritev2, Libaio, IOUring} {
		if engines[e] < 16 {
			t.Errorf("only %d writes by %s", engines[e], e)
		}
	}
	if want := unix.RWF_NOWAIT | unix.RWF_APPEND | unix.RWF_DSYNC; flags != want {
		t.Errorf("flags %#x, want %#x", flags, want)
	}
}

// The write of the second test of the series' cover letter.
func TestStripeIsTheSeries(t *testing.T) {
	o := mustPlan(t, Config{Name: "stripes"}, fs4k).Tasks[0][0]
	if o.Pos != 512 || o.Len() != 14336 {
		t.Errorf("stripe at %d of %d bytes, want 14336 at 512", o.Pos, o.Len())
	}
}

func TestRegionsAreUsedOnce(t *testing.T) {
	for _, name := range []string{"stripes", "boundaries", "holes", "unaligned", "mixed"} {
		p := mustPlan(t, Config{Name: name, Tasks: 3, Writes: 50}, fs4k)
		seen := map[[2]int64]bool{}
		for _, ops := range p.Tasks {
			for _, o := range ops {
				switch o.Kind {
				case Stripes, Boundaries, Zeroing, TailZeroing, Holes, HolesZeroing:
				default:
					continue
				}
				size := max(p.Files[o.File].Size, p.Files[o.File].Allocate)
				if o.Pos+int64(o.Len()) > size {
					t.Fatalf("%s: %s at %d of %d bytes ends beyond the file (%d bytes)", name, o.Kind, o.Pos, o.Len(), size)
				}
				at := [2]int64{int64(o.File), o.Pos / (regionBlocks * 4096)}
				if seen[at] {
					t.Fatalf("%s: region %v is used twice", name, at)
				}
				seen[at] = true
			}
		}
	}
}

func TestEveryPresetFitsEveryBlockSize(t *testing.T) {
	for _, n := range Names() {
		for _, bs := range []int{1024, 2048, 4096, 65536} {
			fs := FSInfo{BlockSize: bs, Sector: 512}
			p := mustPlan(t, Config{Name: n[0], FileSize: 64 * 65536}, fs)
			for _, ops := range p.Tasks {
				for _, o := range ops {
					unal := (o.Pos|int64(o.Len())|int64(o.Shift))%int64(bs) != 0 || len(o.Segs) > 1
					if unal != o.Kind.unaligned() {
						t.Fatalf("%s with blocks of %d: %s at %d of %d bytes", n[0], bs, o.Kind, o.Pos, o.Len())
					}
					if o.Pos%512 != 0 || o.Len()%512 != 0 {
						t.Fatalf("%s with blocks of %d: %+v is not in sectors", n[0], bs, o)
					}
				}
			}
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	big := FSInfo{BlockSize: 4096, Sector: 4096}
	for _, c := range []struct {
		cfg  Config
		fs   FSInfo
		want error
	}{
		{Config{Name: "nonsense"}, fs4k, ErrUsage},
		{Config{Tasks: -1}, fs4k, ErrUsage},
		{Config{Writes: -1}, fs4k, ErrUsage},
		{Config{FileSize: 4096}, fs4k, ErrUsage},
		{Config{Name: "stripes"}, big, ErrUnfit},
	} {
		if _, err := NewPlan(c.cfg, c.fs); !errors.Is(err, c.want) {
			t.Errorf("%+v: error %v, want %v", c.cfg, err, c.want)
		}
	}
	mustPlan(t, Config{Name: "mixed"}, big)
}

func TestSummaryTellsFailuresFromRefusals(t *testing.T) {
	s := newSummary(&Plan{Name: "x"})
	s.count(Op{Kind: Aligned, Segs: []int{512}}, Result{N: 512})
	s.count(Op{Kind: Aligned, Segs: []int{512}, Flags: unix.RWF_NOWAIT}, Result{Err: unix.EAGAIN})
	if s.Failed() != 0 || s.Issued != 2 || s.Bytes != 512 {
		t.Errorf("failed %d, issued %d, bytes %d", s.Failed(), s.Issued, s.Bytes)
	}
	s.count(Op{Kind: Aligned, Segs: []int{512}}, Result{Err: unix.EAGAIN})
	s.count(Op{Kind: Aligned, Segs: []int{512}}, Result{N: 100})
	if s.Failed() != 2 {
		t.Errorf("failed %d, want 2: %s", s.Failed(), s)
	}
}
