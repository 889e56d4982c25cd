package storm

import (
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// Writers is how many tasks write at once.
const Writers = 8

// perRound bounds the writes of a round, and with it what waits in the ring buffer:
// it is read between rounds.
const perRound = 64

// storm is one kind of concurrency.
type storm struct {
	name  string
	build func(g *generator) []scene
}

// storms are in the order in which they run.
var storms = []storm{
	{"neighbours", neighbours},
	{"halves", halves},
	{"zeroing-overwriters", zeroingOverwriters},
	{"drain", drain},
	{"fallback", fallback},
	{"resize", resize},
	{"appenders", appenders},
	{"stat-nowait", statNowait},
	{"extending-overwriters", extendingOverwriters},
}

// Names lists the storms.
func Names() []string {
	var names []string
	for _, s := range storms {
		names = append(names, s.name)
	}
	return names
}

// neighbours are aligned writes to neighbouring blocks of one state.
func neighbours(g *generator) []scene {
	var out []scene
	for _, s := range states {
		rounds := g.rounds(3, perRound)
		const blocks = perRound * 3 / 2
		sc := scene{name: s.name, unwritten: s.state == workload.Unwritten, before: layout(s.state, int64(rounds*blocks)*g.bs)}
		sc.play(rounds, g.writers, func(n int, r *round) {
			for b, i := int64(0), 0; b < blocks; i++ {
				k := min(1+int64(i)%2, blocks-b)
				r.writers[i%Writers].add(piece{off: (int64(n*blocks) + b) * g.bs, len: k * g.bs, shift: g.shift()})
				b += k
			}
		})
		out = append(out, sc)
	}
	return out
}

// halves are pairs of writers, each of which writes one part of every block.
func halves(g *generator) []scene {
	var out []scene
	for _, s := range states {
		rounds := g.rounds(3, perRound)
		const blocks = perRound / 2
		sc := scene{
			name: s.name, skip: g.whole(), before: layout(s.state, int64(rounds*blocks)*g.bs),
			partial: s.state != workload.Written, unwritten: s.state == workload.Unwritten,
		}
		sc.play(rounds, g.writers, func(n int, r *round) {
			for b := range blocks {
				start, cut := int64(n*blocks+b)*g.bs, g.cut()
				first := b % (Writers / 2) * 2
				second := first + 1
				if g.IntN(2) == 0 {
					first, second = second, first
				}
				r.writers[first].split(&r.writers[second], start, cut, g.bs)
			}
		})
		out = append(out, sc)
	}
	return out
}

// zeroingOverwriters are writes that need zeroing, beside overwrites in the same
// block and in neighbouring ones: blocks written, unwritten, written, hole, written,
// written, and so on.
func zeroingOverwriters(g *generator) []scene {
	const stripe, stripes = 6, perRound / Writers
	rounds := g.rounds(1, perRound)
	sc := scene{name: "mixed", partial: true, skip: g.whole(), before: layout(workload.Hole, int64(rounds*stripes*stripe)*g.bs)}
	sc.play(rounds, g.writers, func(n int, r *round) {
		for i := range stripes {
			at := func(block int, in int64) int64 { return int64((n*stripes+i)*stripe+block)*g.bs + in }
			a, b, c, d := g.cut(), g.cut(), g.cut(), g.cut()
			for w, span := range [Writers][2]int64{
				{at(0, 0), at(0, a)},      // overwrites a part
				{at(0, a), at(1, b)},      // zeroes behind its end only
				{at(1, b), at(2, 0)},      // zeroes before its start only
				{at(2, 0), at(3, 0)},      // overwrites a block
				{at(3, 0), at(3, c)},      // zeroes in a hole
				{at(3, c), at(4, d)},      // and before its start, to end in a written block
				{at(4, d), at(5, 0)},      // overwrites the rest
				{at(5, 0), at(stripe, 0)}, // overwrites a block
			} {
				r.writers[w].add(piece{off: span[0], len: span[1] - span[0]})
			}
			sc.before = append(sc.before, act{opWritten, at(0, 0), g.bs}, act{opAllocate, at(1, 0), g.bs},
				act{opWritten, at(2, 0), g.bs}, act{opWritten, at(4, 0), 2 * g.bs})
		}
	})
	return []scene{sc}
}

// drain keeps asynchronous overwrites in flight while two writers zero, and have to
// wait for them.
func drain(g *generator) []scene {
	const async, deep, zeroing = 6, 16, 16
	const total = async*deep + 2*zeroing
	rounds := g.rounds(1, total)
	written := int64(rounds*async*deep*2) * g.bs
	size := written + int64(rounds*zeroing)*g.bs
	sc := scene{
		name: "deep queue", partial: true, skip: g.whole(),
		before: []act{{op: opTruncate, off: size}, {op: opAllocate, len: size}, {op: opWritten, len: written}},
	}
	deepQueues := func() []writer {
		return crew(submission{workload.Libaio, deep}, submission{workload.Libaio, deep}, submission{workload.IOUring, deep},
			submission{workload.Libaio, deep}, submission{workload.IOUring, deep}, submission{workload.Libaio, deep / 2},
			submission{workload.Pwrite, 1}, submission{workload.IOUring, 2})
	}
	sc.play(rounds, deepQueues, func(n int, r *round) {
		for i := range async * deep {
			r.writers[i%async].add(piece{off: int64(n*async*deep+i) * 2 * g.bs, len: 2 * g.bs})
		}
		for i := range zeroing {
			start := written + int64(n*zeroing+i)*g.bs
			r.writers[async+i%2].split(&r.writers[async+(i+1)%2], start, g.cut(), g.bs)
		}
	})
	return []scene{sc}
}

// nowaitMix are tasks that write with RWF_NOWAIT, and two that do not.
func nowaitMix() []writer {
	return crew(submission{workload.Pwritev2, 1}, submission{workload.Libaio, 4}, submission{workload.IOUring, 4},
		submission{workload.Pwritev2, 1}, submission{workload.Libaio, 4}, submission{workload.Pwritev2, 1},
		submission{workload.Pwrite, 1}, submission{workload.Libaio, 4})
}

// statNowait are NOWAIT writes, while others read and set the timestamps.
func statNowait(g *generator) []scene {
	const nowait, blocks = 6, perRound
	rounds := g.rounds(1, perRound)
	size := int64(rounds*blocks) * g.bs
	// Most of it is written, the rest unwritten: there a NOWAIT write has to fail on
	// kernels that hold patch 1, and where blocks are zeroed.
	sc := scene{name: "timestamps", before: []act{{op: opTruncate, off: size}, {op: opAllocate, len: size}}}
	for b := int64(0); b < int64(rounds*blocks); b += 16 {
		sc.before = append(sc.before, act{opWritten, b * g.bs, 12 * g.bs})
	}
	sc.play(rounds, nowaitMix, func(n int, r *round) {
		for b := range blocks {
			w := b % Writers
			p := piece{off: int64(n*blocks+b) * g.bs, len: g.bs, shift: g.shift()}
			if w < nowait {
				p.flags = unix.RWF_NOWAIT
			}
			if g.sector < g.bs && b%3 == 0 {
				p.len = g.cut()
			}
			r.writers[w].add(p)
		}
		// A storm makes most of the writes fail; in a breeze some get further.
		r.again = n%2 == 0
		r.meanwhile = []act{{op: opStat}, {op: opStat}, {op: opTimestamp}, {op: opStat}}
	})
	return []scene{sc}
}
