package workload

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"golang.org/x/sys/unix"
)

// Range is a part of a file, in bytes.
type Range struct{ Off, Len int64 }

// FileSpec is the layout of one file before the first direct write. Allocate is
// fallocated, then Written is written, then the file is truncated or extended
// to Size unless that is 0.
type FileSpec struct {
	Name     string
	Allocate int64
	Written  []Range
	Size     int64
}

// Op is one write of a plan.
type Op struct {
	Kind   Kind
	Engine EngineName
	File   int // index in Plan.Files
	Pos    int64
	Segs   []int // segment lengths, bytes
	Shift  int   // buffer address beyond a block boundary, bytes
	Flags  int   // RWF_*
}

// Len is the number of bytes of the write.
func (o Op) Len() int {
	n := 0
	for _, s := range o.Segs {
		n += s
	}
	return n
}

// Plan is a workload worked out: the files, and the writes of each task in order.
type Plan struct {
	Name  string
	Seed  uint64
	FS    FSInfo
	Files []FileSpec
	Tasks [][]Op
}

// Config says how much of a workload to make. Zero values take defaults.
type Config struct {
	Name     string
	Tasks    int    // concurrent writers, default 4
	Writes   int    // of each task, default 120
	Seed     uint64 // the same seed gives the same writes
	FileSize int64  // bytes of the fully written file, default 4 MiB
}

// Defaults of Config.
const (
	DefaultName     = "mixed"
	DefaultTasks    = 4
	DefaultWrites   = 120
	DefaultFileSize = 4 << 20
	maxTasks        = 1024
	maxWrites       = 10_000_000
)

func (c *Config) fill() error {
	c.Name = cmp.Or(c.Name, DefaultName)
	c.Tasks = cmp.Or(c.Tasks, DefaultTasks)
	c.Writes = cmp.Or(c.Writes, DefaultWrites)
	c.FileSize = cmp.Or(c.FileSize, DefaultFileSize)
	if !slices.ContainsFunc(presets, func(p preset) bool { return p.name == c.Name }) {
		return fmt.Errorf("plan workload %q: %w: no such workload", c.Name, ErrUsage)
	}
	if c.Tasks < 1 || c.Tasks > maxTasks || c.Writes < 1 || c.Writes > maxWrites {
		return fmt.Errorf("plan workload: %w: %d tasks (1 to %d) of %d writes (1 to %d)",
			ErrUsage, c.Tasks, maxTasks, c.Writes, maxWrites)
	}
	return nil
}

// The files of every plan, by what their blocks are. Files that a workload does
// not use are left out of the plan.
const (
	fileWritten   = iota // all written, overwritten over and over
	fileStripes          // regions W U U W, each used once
	fileBounds           // regions W U W U, each used once
	fileUnwritten        // fallocated, each region used once
	fileHoles            // sparse, each region used once
	fileAppend           // all tasks append
	fileExtend           // and one for each further task
)

// regionBlocks is the size of the part of a file that one write uses up.
const regionBlocks = 4

// planner works out the writes. It touches nothing outside itself.
type planner struct {
	cfg    Config
	bs     int64
	sector int64
	used   map[int]bool
	// regions counts for each task the regions it has used of a file.
	regions []map[int]int64
	// extend is where each task's extending file ends; the next write of whole
	// blocks starts at the next block.
	extend []int64
}

// NewPlan works out the files and writes of a workload for a file system. The
// error wraps ErrUsage, or ErrUnfit when the file system cannot take such writes.
func NewPlan(cfg Config, fs FSInfo) (*Plan, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	if cfg.FileSize < 64*int64(fs.BlockSize) || cfg.FileSize > 1<<40 {
		return nil, fmt.Errorf("plan workload: %w: a file of %d bytes (64 blocks to 1 TiB)", ErrUsage, cfg.FileSize)
	}
	cfg.FileSize -= cfg.FileSize % int64(fs.BlockSize)
	p := &planner{cfg: cfg, bs: int64(fs.BlockSize), sector: int64(fs.Sector), used: map[int]bool{}}
	deck := p.deck()
	if len(deck) == 0 {
		return nil, fmt.Errorf("plan workload %s: %w: it needs a device whose sectors (%d bytes) are smaller than blocks (%d)",
			cfg.Name, ErrUnfit, fs.Sector, fs.BlockSize)
	}
	tasks := make([][]Op, cfg.Tasks)
	for t := range tasks {
		p.regions = append(p.regions, map[int]int64{})
		p.extend = append(p.extend, p.bs)
		tasks[t] = p.task(t, deck)
	}
	plan := &Plan{Name: cfg.Name, Seed: cfg.Seed, FS: fs, Tasks: tasks}
	p.placeFiles(plan)
	return plan, nil
}

// deck is the preset's cards that this file system can play.
func (p *planner) deck() []card {
	i := slices.IndexFunc(presets, func(pr preset) bool { return pr.name == p.cfg.Name })
	deck := slices.Clone(presets[i].deck)
	return slices.DeleteFunc(deck, func(c card) bool { return c.kind.unaligned() && p.sector >= p.bs })
}

// task plays the deck, shuffled anew each time, until the writes are dealt.
func (p *planner) task(t int, deck []card) []Op {
	rng := rand.New(rand.NewPCG(p.cfg.Seed, uint64(t)))
	ops := make([]Op, 0, p.cfg.Writes)
	deck = slices.Clone(deck)
	for len(ops) < p.cfg.Writes {
		rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		for _, c := range deck[:min(len(deck), p.cfg.Writes-len(ops))] {
			ops = append(ops, p.op(t, c, rng))
		}
	}
	return ops
}

// region gives the next unused region of a file to a task.
func (p *planner) region(t, file int) int64 {
	k := p.regions[t][file]
	p.regions[t][file]++
	return (k*int64(p.cfg.Tasks) + int64(t)) * regionBlocks * p.bs
}

// block picks a position in the fully written file with n blocks behind it.
func (p *planner) block(rng *rand.Rand, n int64) int64 {
	return rng.Int64N(p.cfg.FileSize/p.bs-n+1) * p.bs
}

// op makes the write of one card.
func (p *planner) op(t int, c card, rng *rand.Rand) Op {
	o := Op{Kind: c.kind, Engine: c.engine, Flags: c.flags}
	length := p.bs
	switch c.kind {
	case Aligned:
		n := 1 + rng.Int64N(8)
		o.File, length = fileWritten, n*p.bs
		o.Pos = p.block(rng, n)
	case Unaligned:
		o.File, length = fileWritten, p.bs+p.bs/2
		o.Pos = p.block(rng, 3) + p.sector
	case Memory:
		o.File, length, o.Shift = fileWritten, 4*p.bs, int(p.sector)
		o.Pos = p.block(rng, 4)
	case Segments:
		o.File, o.Pos = fileWritten, p.block(rng, 2)
		o.Segs = []int{int(p.sector), int(p.bs - p.sector), int(p.bs)}
	case Boundaries:
		o.File, length = fileBounds, 2*p.bs
		o.Pos = p.region(t, fileBounds)
	case Stripes:
		o.File, length = fileStripes, stripeLen(p.bs, p.sector)
		o.Pos = p.region(t, fileStripes) + p.sector
	case Zeroing:
		o.File, length = fileUnwritten, p.bs
		o.Pos = p.region(t, fileUnwritten) + p.sector
	case TailZeroing:
		o.File, length = fileBounds, p.bs
		o.Pos = p.region(t, fileBounds) + p.sector
	case Holes:
		o.File, length = fileHoles, 2*p.bs
		o.Pos = p.region(t, fileHoles)
	case HolesZeroing:
		o.File, length = fileHoles, p.bs
		o.Pos = p.region(t, fileHoles) + p.sector
	case Extending, ExtendingUnaligned:
		o.File, length = fileExtend+t, p.bs
		o.Pos = (p.extend[t] + p.bs - 1) / p.bs * p.bs
		if c.kind == ExtendingUnaligned {
			o.Pos, length = o.Pos+p.sector, p.sector
		}
		if c.flags&unix.RWF_NOWAIT == 0 {
			p.extend[t] = o.Pos + length
		}
	case Append:
		o.File = fileAppend
	}
	if o.Segs == nil {
		o.Segs = []int{int(length)}
	}
	p.used[o.File] = true
	return o
}

// stripeLen is the length of a write that begins one sector into a stripe of
// four blocks and ends within the last one: 14336 with blocks of 4096 bytes.
func stripeLen(bs, sector int64) int64 {
	return regionBlocks*bs - max(bs/2, 2*sector)
}

// placeFiles lays out the files that are used and points the writes to them.
func (p *planner) placeFiles(plan *Plan) {
	index := map[int]int{}
	for file := range fileExtend + p.cfg.Tasks {
		if p.used[file] {
			index[file] = len(plan.Files)
			plan.Files = append(plan.Files, p.spec(file))
		}
	}
	for _, ops := range plan.Tasks {
		for i := range ops {
			ops[i].File = index[ops[i].File]
		}
	}
}

func (p *planner) spec(file int) FileSpec {
	var most int64
	for _, used := range p.regions {
		most = max(most, used[file])
	}
	regions := most * int64(p.cfg.Tasks)
	region := regionBlocks * p.bs
	size := regions * region
	blocks := func(at ...int64) []Range {
		var out []Range
		for r := range regions {
			for _, b := range at {
				out = append(out, Range{Off: r*region + b*p.bs, Len: p.bs})
			}
		}
		return out
	}
	switch file {
	case fileWritten:
		return FileSpec{Name: "written", Allocate: p.cfg.FileSize, Written: []Range{{Len: p.cfg.FileSize}}}
	case fileStripes:
		return FileSpec{Name: "stripes", Allocate: size, Written: blocks(0, 3)}
	case fileBounds:
		return FileSpec{Name: "boundaries", Allocate: size, Written: blocks(0, 2)}
	case fileUnwritten:
		// One more written block: the layout's own write lets ext4 see that the
		// file holds no privileges, so that its first direct write is not special.
		return FileSpec{Name: "unwritten", Allocate: size + p.bs, Written: []Range{{size, p.bs}}}
	case fileHoles:
		return FileSpec{Name: "holes", Written: []Range{{size, p.bs}}, Size: size + p.bs}
	case fileAppend:
		return FileSpec{Name: "append", Written: []Range{{0, p.bs}}}
	default:
		return FileSpec{Name: fmt.Sprintf("extending-%d", file-fileExtend), Written: []Range{{0, p.bs}}}
	}
}
