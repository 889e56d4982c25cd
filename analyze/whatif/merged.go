package whatif

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Interval is what repeated simulations gave: the least, the middle, the most.
type Interval struct {
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// Summary is what a kernel does with the writes. Times are ns.
type Summary struct {
	PerSecond      Interval `json:"writes_per_second"`
	ExclusiveShare float64  `json:"exclusive_share"` // 0 to 1
	WaitP50Ns      int64    `json:"wait_p50_ns"`
	WaitP99Ns      int64    `json:"wait_p99_ns"`
	MeanWaitNs     float64  `json:"wait_mean_ns"`
	MeanLatencyNs  float64  `json:"latency_mean_ns"`
	Depth          int      `json:"max_in_flight"` // I/O on one disk
}

// merged is the sum of tallies of several scenes, each as long as it was in the trace.
type merged struct {
	share
	scenes  []*scene
	rates   []float64 // of each scene, summed
	runs    []float64
	waited  float64
	latency float64
	depth   int
}

func newMerged(scenes []*scene) *merged {
	return &merged{scenes: scenes, rates: make([]float64, len(scenes)), runs: make([]float64, len(scenes))}
}

func (m *merged) add(scene int, t *tally) {
	m.rates[scene] += t.perSecond()
	m.runs[scene]++
	m.merge(&t.share)
	m.waited += float64(t.waited)
	m.latency += float64(t.latency)
	m.depth = max(m.depth, t.depth)
}

// perSecond is the mean of the scenes' rates: the harmonic one, by their writes, which
// counts time.
func (m *merged) perSecond() float64 {
	time, writes := 0.0, 0.0
	for i, r := range m.rates {
		if n := float64(m.scenes[i].w.writes); r > 0 {
			time += n * m.runs[i] / r
			writes += n
		}
	}
	if writes == 0 {
		return 0
	}
	return writes / time
}

func (m *merged) summary() Summary {
	n := float64(max(m.writes, 1))
	rate := m.perSecond()
	return Summary{
		PerSecond: Interval{rate, rate, rate}, ExclusiveShare: m.exclusiveShare(),
		WaitP50Ns: m.waits.quantile(0.5), WaitP99Ns: m.waits.quantile(0.99),
		MeanWaitNs: m.waited / n, MeanLatencyNs: m.latency / n, Depth: m.depth,
	}
}

// pick chooses n writers of a scene: each once before one comes again, so that their mix
// is that of the trace. 0 is all of them. Who only holds the lock is there once.
func (sc *scene) pick(n int, seed uint64) []int32 {
	var from, held []int32
	for i := range sc.paces {
		switch p := &sc.paces[i]; {
		case n > 0 && p.writes == 0:
			held = append(held, int32(i))
		case n == 0 || p.steady || !sc.steady:
			from = append(from, int32(i))
		}
	}
	if n == 0 {
		return from
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	out := make([]int32, 0, n)
	for len(out) < n {
		rng.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		out = append(out, from[:min(len(from), n-len(out))]...)
	}
	return append(out, held...)
}

// Gain is what a file or a process has of the other variant.
type Gain struct {
	Dev      uint32  `json:"-"`
	Ino      uint64  `json:"ino,omitempty"`
	Gen      uint32  `json:"-"`
	Path     string  `json:"path,omitempty"` // set by the caller
	Pid      uint32  `json:"pid,omitempty"`
	Comm     string  `json:"comm,omitempty"`
	Now      float64 `json:"now_per_second"`
	Then     float64 `json:"then_per_second"`
	NowExcl  float64 `json:"now_exclusive_share"`
	ThenExcl float64 `json:"then_exclusive_share"`
	NowP50   int64   `json:"now_wait_p50_ns,omitempty"` // of files only
	NowP99   int64   `json:"now_wait_p99_ns,omitempty"`
	ThenP50  int64   `json:"then_wait_p50_ns,omitempty"`
	ThenP99  int64   `json:"then_wait_p99_ns,omitempty"`
}

// gained is what one file or process had.
type gained struct {
	share
	rate float64
}

// gains is what each had, of all scenes, by a Gain that only says whose it is.
type gains struct {
	files map[Gain]*gained
	tasks map[Gain]*gained
	n     float64
}

func newGains(scenes []*scene) *gains {
	return &gains{files: map[Gain]*gained{}, tasks: map[Gain]*gained{}, n: float64(len(scenes))}
}

func (g *gains) add(sc *scene, t *tally) {
	put := func(to map[Gain]*gained, of Gain, s *share) {
		k := to[of]
		if k == nil {
			k = new(gained)
			to[of] = k
		}
		k.rate += float64(s.writes) / float64(t.span) * 1e9 / g.n
		k.merge(s)
	}
	for i := range t.files {
		if !sc.written[i] {
			continue
		}
		put(g.files, Gain{Dev: sc.w.files[i].dev, Ino: sc.w.files[i].ino, Gen: sc.w.files[i].gen}, &t.files[i])
	}
	for i := range t.actors {
		if sc.paces[i].writes == 0 {
			continue
		}
		put(g.tasks, Gain{Pid: sc.w.writers[i].pid, Comm: sc.w.writers[i].comm}, &t.actors[i])
	}
}

// maxGains is how many files and processes are told.
const maxGains = 8

// compareGains lists the files and processes that gain most.
func compareGains(now, then *gains) (files, tasks []Gain) {
	list := func(now, then map[Gain]*gained) (out []Gain) {
		for g, n := range now {
			t := then[g]
			g.Now, g.NowExcl, g.NowP50, g.NowP99 = n.told()
			g.Then, g.ThenExcl, g.ThenP50, g.ThenP99 = t.told()
			out = append(out, g)
		}
		slices.SortFunc(out, func(a, b Gain) int {
			return cmp.Or(cmp.Compare(b.Then-b.Now, a.Then-a.Now), cmp.Compare(a.Ino, b.Ino), cmp.Compare(a.Pid, b.Pid), cmp.Compare(a.Comm, b.Comm))
		})
		return out[:min(len(out), maxGains)]
	}
	return list(now.files, then.files), list(now.tasks, then.tasks)
}

func (g *gained) told() (rate, excl float64, p50, p99 int64) {
	return g.rate, g.exclusiveShare(), g.waits.quantile(0.5), g.waits.quantile(0.99)
}
