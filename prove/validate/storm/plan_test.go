package storm

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// geometries are the block and sector sizes that plans are made for.
var geometries = []workload.FSInfo{{BlockSize: 4096, Sector: 512}, {BlockSize: 1024, Sector: 512},
	{BlockSize: 4096, Sector: 4096}, {BlockSize: 65536, Sector: 512}, {BlockSize: 2048, Sector: 512}}

// eachScene calls use with every scene that can run.
func eachScene(t *testing.T, seeds int, use func(t *testing.T, g *generator, sc *scene)) {
	for _, fs := range geometries {
		for seed := range uint64(seeds) {
			for _, s := range storms {
				g := newGenerator(seed, s.name, fs)
				for _, sc := range s.build(g) {
					if sc.skip != "" {
						if fs.Sector < fs.BlockSize {
							t.Errorf("%s/%s is skipped with sectors of %d: %s", s.name, sc.name, fs.Sector, sc.skip)
						}
						continue
					}
					sc.name = s.name + "/" + sc.name
					use(t, g, &sc)
				}
			}
		}
	}
}

// planned plays the layout and sizes of a scene without a file.
func planned(sc *scene, number int, held *shadow.File) {
	if number > 0 {
		return
	}
	for _, a := range sc.before {
		switch a.op {
		case opTruncate:
			held.Truncate(a.off)
		case opPunch:
			held.Punch(a.off, a.len)
		case opWritten:
			held.Write(a.off, make([]byte, a.len))
		}
	}
}

// overlap names two writes of a round that write the same byte, or nothing.
func (r *round) overlap() string {
	type span struct {
		piece
		text string
	}
	var all []span
	for i := range r.writers {
		w := &r.writers[i]
		for j, p := range w.pieces {
			all = append(all, span{p, fmt.Sprintf("writer %d: %s", i+1, w.text(j))})
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	for i := 1; i < len(all); i++ {
		if all[i-1].off+all[i-1].len > all[i].off {
			return all[i-1].text + " and " + all[i].text
		}
	}
	return ""
}

func TestOverlap(t *testing.T) {
	for second, want := range map[int64]bool{512: false, 511: true, 0: true} {
		r := round{writers: []writer{{pieces: []piece{{off: second, len: 512}}}, {pieces: []piece{{off: 0, len: 512}}}}}
		if got := r.overlap() != ""; got != want {
			t.Errorf("0+512 and %d+512: %v", second, got)
		}
	}
}

// TestEveryByteHasOneWriter is what makes the final content known.
func TestEveryByteHasOneWriter(t *testing.T) {
	eachScene(t, 3, func(t *testing.T, g *generator, sc *scene) {
		if sc.appends {
			return
		}
		for i := range sc.rounds {
			if why := sc.rounds[i].overlap(); why != "" {
				t.Fatalf("%s, blocks of %d, round %d: %s", sc.name, g.bs, i+1, why)
			}
		}
	})
}

// TestPlans: writes are multiples of sectors, rounds are bounded and all tasks take
// part; the blocks of an aligned write are nobody else's, which the loss of bytes
// beside i_size needs.
func TestPlans(t *testing.T) {
	eachScene(t, 3, func(t *testing.T, g *generator, sc *scene) {
		for i := range sc.rounds {
			r := &sc.rounds[i]
			n := 0
			for j := range r.writers {
				n += len(r.writers[j].pieces)
			}
			if len(r.writers) != Writers || n > 2*perRound || n < perRound/4 {
				t.Fatalf("%s, blocks of %d, round %d: %d writes by %d", sc.name, g.bs, i+1, n, len(r.writers))
			}
			lengths := map[int64]bool{}
			for j := range r.writers {
				w := &r.writers[j]
				if len(w.pieces) == 0 && g.sector < g.bs {
					t.Errorf("%s, blocks of %d, round %d: writer %d has nothing to do", sc.name, g.bs, i+1, j+1)
				}
				for k, p := range w.pieces {
					if (p.off|p.len)%g.sector != 0 || p.len <= 0 {
						t.Fatalf("%s: %s is not possible with sectors of %d", sc.name, w.text(k), g.sector)
					}
					if p.flags != 0 && w.engine == workload.Pwrite {
						t.Fatalf("%s: %s: flags", sc.name, w.text(k))
					}
					if sc.appends && lengths[p.len] {
						t.Fatalf("%s: two appends of %d bytes", sc.name, p.len)
					}
					lengths[p.len] = true
				}
			}
		}
	})
}

// TestEndsAtABlock: but for appends, no write ends at i_size inside a block that
// another one touches, since i_size is at the end of a block when a round begins.
func TestEndsAtABlock(t *testing.T) {
	eachScene(t, 3, func(t *testing.T, g *generator, sc *scene) {
		if sc.appends {
			return
		}
		var held shadow.File
		for i := range sc.rounds {
			planned(sc, i, &held)
			if held.Size()%g.bs != 0 {
				t.Fatalf("%s, round %d: i_size is %d", sc.name, i+1, held.Size())
			}
			for j := range sc.rounds[i].writers {
				for _, p := range sc.rounds[i].writers[j].pieces {
					held.Extend(p.off + p.len)
				}
			}
		}
	})
}

// TestMeanwhileIsElsewhere: what goes on beside the writers changes no byte of theirs,
// nor a page with one.
func TestMeanwhileIsElsewhere(t *testing.T) {
	eachScene(t, 3, func(t *testing.T, _ *generator, sc *scene) {
		for i := range sc.rounds {
			var lo, hi int64 = 1 << 62, 0
			for j := range sc.rounds[i].writers {
				for _, p := range sc.rounds[i].writers[j].pieces {
					lo, hi = min(lo, p.off), max(hi, p.off+p.len)
				}
			}
			for _, a := range sc.rounds[i].meanwhile {
				switch a.op {
				case opStat, opTimestamp:
				case opTruncate:
					if a.off < hi+apart/2 {
						t.Fatalf("%s: %v with writes up to %d", sc.name, a, hi)
					}
				case opPunch, opAllocate:
					if a.off < hi+apart/2 && a.off+a.len > lo-apart/2 {
						t.Fatalf("%s: %v with writes from %d to %d", sc.name, a, lo, hi)
					}
				default:
					t.Fatalf("%s: %v beside the writers", sc.name, a)
				}
			}
		}
	})
}

func TestSeed(t *testing.T) {
	fs := geometries[0]
	build := func(seed uint64) []scene {
		return halves(newGenerator(seed, "halves", fs))
	}
	if !reflect.DeepEqual(build(3), build(3)) {
		t.Error("a seed makes two plans")
	}
	if reflect.DeepEqual(build(3), build(4)) {
		t.Error("two seeds make one plan")
	}
}

// TestUnsafeParts: only on kernels that drain before a fallback are the bytes of parts
// of blocks promised.
func TestUnsafeParts(t *testing.T) {
	for v, want := range map[model.Variant]bool{model.Base: true, model.Linux612: true, model.Linux72: false, model.SeriesV2: false} {
		if got := unsafeParts(&scene{partial: true}, v) != ""; got != want {
			t.Errorf("%s: %v", v, got)
		}
	}
	if why := unsafeParts(&scene{}, model.Base); why != "" {
		t.Error(why)
	}
}
