package workload

import "golang.org/x/sys/unix"

// Kind is what a write of a plan is meant to show.
type Kind string

// Kinds of writes. "Zeroing" writes cover a part of a block that holds no data.
const (
	Aligned            Kind = "aligned"             // whole blocks, all written
	Unaligned          Kind = "unaligned"           // parts of written blocks
	Memory             Kind = "memory-unaligned"    // whole blocks from an odd address
	Segments           Kind = "segments"            // whole blocks in odd segments
	Boundaries         Kind = "boundaries"          // whole blocks, written then unwritten
	Stripes            Kind = "stripes"             // W U U W, head and tail in part
	Zeroing            Kind = "zeroing"             // a part of unwritten blocks
	TailZeroing        Kind = "tail-zeroing"        // from a written block into an unwritten one
	Holes              Kind = "holes"               // whole blocks of a hole
	HolesZeroing       Kind = "holes-zeroing"       // a part of a hole
	Extending          Kind = "extending"           // whole blocks at the end of file
	ExtendingUnaligned Kind = "extending-unaligned" // a part of a block beyond the end
	Append             Kind = "append"              // RWF_APPEND
)

// unaligned reports whether the kind needs sectors smaller than blocks.
func (k Kind) unaligned() bool {
	switch k {
	case Unaligned, Memory, Segments, Stripes, Zeroing, TailZeroing, HolesZeroing, ExtendingUnaligned:
		return true
	}
	return false
}

// card is one kind of write by one submission path.
type card struct {
	kind   Kind
	engine EngineName
	flags  int
}

// preset is a named mixture: a deck that is played over and over, shuffled.
type preset struct {
	name, help string
	deck       []card
}

var presets = []preset{
	{"mixed", "everything below, by every submission path", mixedDeck()},
	{"aligned", "whole blocks that are written", cards(Pwrite, Aligned)},
	{"unaligned", "parts of blocks: written, unwritten, holes; odd memory",
		append(cards(Pwrite, Unaligned, Unaligned, Zeroing, TailZeroing, HolesZeroing, Memory), cards(Pwritev2, Segments)...)},
	{"stripes", "14336 bytes at 512 into W U U W stripes of 16 KiB", cards(Pwrite, Stripes)},
	{"boundaries", "two aligned blocks across a written and an unwritten one", cards(Pwrite, Boundaries)},
	{"extending", "writes at the end of file", cards(Pwrite, Extending, ExtendingUnaligned)},
	{"append", "RWF_APPEND by all tasks to one file", flagged(unix.RWF_APPEND, Pwritev2, Append)},
	{"holes", "whole blocks and parts of blocks in a sparse file", cards(Pwrite, Holes, HolesZeroing)},
	{"nowait", "RWF_NOWAIT; many are refused with EAGAIN", nowaitDeck(Pwritev2)},
	{"libaio", "through io_submit", append(asyncDeck(Libaio), nowaitDeck(Libaio)...)},
	{"io_uring", "through io_uring", asyncDeck(IOUring)},
	{"nowait-pool", "RWF_NOWAIT, and what is refused by another thread", asyncDeck(Pool)},
	{"io_uring-sqpoll", "through io_uring with a kernel thread that submits", asyncDeck(IOUringSQThr)},
}

// Names lists the workloads with one line of help for each.
func Names() [][2]string {
	var out [][2]string
	for _, p := range presets {
		out = append(out, [2]string{p.name, p.help})
	}
	return out
}

func cards(e EngineName, kinds ...Kind) []card { return flagged(0, e, kinds...) }

func flagged(flags int, e EngineName, kinds ...Kind) []card {
	var out []card
	for _, k := range kinds {
		out = append(out, card{k, e, flags})
	}
	return out
}

func asyncDeck(e EngineName) []card {
	return cards(e, Aligned, Aligned, Unaligned, Memory, Segments, Boundaries, Stripes, Zeroing,
		TailZeroing, Holes, HolesZeroing, Extending, ExtendingUnaligned)
}

func nowaitDeck(e EngineName) []card {
	return flagged(unix.RWF_NOWAIT, e, Aligned, Unaligned, Stripes, Zeroing, Holes, Extending)
}

// mixedDeck is weighted so that a page of a viewer shows some of everything.
func mixedDeck() []card {
	var d []card
	d = append(d, cards(Pwrite, Aligned, Aligned, Aligned, Unaligned, Unaligned, Memory, Boundaries, Boundaries,
		Stripes, Stripes, Zeroing, TailZeroing, Holes, HolesZeroing, Extending, ExtendingUnaligned)...)
	d = append(d, cards(Pwritev2, Segments)...)
	d = append(d, flagged(unix.RWF_DSYNC, Pwritev2, Aligned, Boundaries)...)
	d = append(d, flagged(unix.RWF_APPEND, Pwritev2, Append)...)
	d = append(d, flagged(unix.RWF_NOWAIT, Pwritev2, Aligned, Zeroing)...)
	d = append(d, cards(Libaio, Aligned, Unaligned, Stripes, Holes)...)
	d = append(d, cards(IOUring, Aligned, Unaligned, Stripes, Zeroing)...)
	return d
}
