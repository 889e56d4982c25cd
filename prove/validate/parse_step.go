package validate

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// maxWrite bounds one write, in bytes, so that a text cannot ask for all memory.
const maxWrite = 256 << 20

// blockSize is the size of blocks in bytes for which a text is read.
type blockSize int64

// inBytes is the blockSize of a text that is not written in blocks.
const inBytes blockSize = 0

// sizePart is a part of a size: bytes, or blocks.
const sizePart = `(\d+[KMGTB]?|B)`

// sizeExpr is a size: parts that are added and subtracted.
const sizeExpr = sizePart + `([+-]` + sizePart + `)*`

var (
	sizeRE = syntax(sizeExpr)
	partRE = regexp.MustCompile(`([+-]?)(\d*)([KMGTB]?)`)
)

// parse reads a size: a number of bytes with an optional K, M, G or T, or of blocks
// with B, and sums and differences of such numbers, as 3B+512. B alone is one block.
func (b blockSize) parse(s string) (int64, bool) {
	units := map[string]int64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "B": int64(b)}
	if !sizeRE.MatchString(s) || b == inBytes && strings.ContainsAny(s, "B+-") {
		return 0, false
	}
	total := int64(0)
	for _, part := range partRE.FindAllStringSubmatch(s, -1) {
		n, err := strconv.ParseInt(cmp.Or(part[2], "1"), 10, 64)
		unit := units[part[3]]
		if err != nil || n > math.MaxInt64/unit {
			return 0, false
		}
		if n *= unit; part[1] == "-" {
			n = -n
		}
		if total += n; total < 0 {
			return 0, false
		}
	}
	return total, true
}

// size reads a size in a text for blocks of b.
func (p *parser) size(b blockSize, s string) int64 {
	n, ok := b.parse(s)
	switch {
	case ok:
	case b != inBytes && strings.ContainsAny(s, "B+-"):
		p.refuse("%q is not a number of bytes or blocks", s)
	default:
		p.refuse("%q is not a number of bytes", s)
	}
	return n
}

// setup OPERATION ARGUMENTS
func (p *parser) setup(args []string) *Setup {
	if len(args) == 0 {
		p.refuse("setup needs an operation")
		return nil
	}
	op, args := args[0], args[1:]
	how, known := setupOps[op]
	if !known {
		p.refuse("unknown setup operation %q", op)
	}
	if len(args) < how.sizes {
		p.refuse("setup %s needs %d sizes", op, how.sizes)
		return nil
	}
	s := &Setup{Op: op}
	for i, n := range []*int64{&s.Off, &s.Len}[:how.sizes] {
		*n = p.size(p.block, args[i])
	}
	rest := args[how.sizes:]
	switch text := strings.Join(rest, " "); {
	case how.words == nil && text != "", how.words != nil && !how.words.MatchString(text):
		p.refuse("setup %s does not go with %q", op, text)
	case how.bounded && s.Len > maxWrite:
		p.refuse("setup %s of %d bytes is more than %d", op, s.Len, maxWrite)
	case how.read != nil:
		how.read(p, s, rest)
	}
	return s
}

// write KEY=VALUE...
func (p *parser) write(args []string) *Write {
	w := &Write{Pos: -1, Limit: -1, Fresh: -1, Held: -1, Expect: map[string]Fields{}}
	seen := map[string]bool{}
	for _, a := range args {
		key, val, ok := strings.Cut(a, "=")
		if !ok || seen[key] {
			p.refuse("%q is not KEY=VALUE, or is given twice", a)
		}
		seen[key] = true
		p.option(w, key, val)
	}
	if w.Pos < 0 || len(w.Segs) == 0 || seen["len"] && seen["iov"] {
		p.refuse("write needs pos, and len or iov")
	}
	plain := w.Flags == 0 && len(w.Segs) <= 1
	if w.Engine == "" {
		w.Engine = workload.Pwrite
		if !plain {
			w.Engine = workload.Pwritev2
		}
	}
	if w.Engine == workload.Pwrite && !plain {
		p.refuse("pwrite takes neither flags nor iov")
	}
	if w.Held >= 0 && w.Flags&unix.RWF_NOWAIT == 0 {
		p.refuse("held needs flags=nowait: any other write would wait for the lock for ever")
	}
	if w.Len() > maxWrite || len(w.Segs) > workload.MaxSegs {
		p.refuse("write of %d bytes in %d segments: at most %d in %d", w.Len(), len(w.Segs), maxWrite, workload.MaxSegs)
	}
	return w
}

func (p *parser) option(w *Write, key, val string) {
	switch sizes := map[string]*int64{"pos": &w.Pos, "limit": &w.Limit, "fresh": &w.Fresh, "held": &w.Held}; key {
	case "pos", "limit", "fresh", "held":
		*sizes[key] = p.size(p.block, val)
	case "buf":
		n := p.size(p.block, val)
		if n >= 64<<10 {
			p.refuse("buf %d is not below 64K", n)
		}
		w.Buf = int(n)
	case "len", "iov":
		for v := range strings.SplitSeq(val, ",") {
			n, ok := p.block.parse(v)
			if !ok || n > maxWrite {
				p.refuse("%q is not a length", v)
			}
			w.Segs = append(w.Segs, int(n))
		}
		if key == "len" && len(w.Segs) > 1 {
			p.refuse("len is one number; use iov for segments")
		}
	case "engine":
		w.Engine = workload.EngineName(val)
		if !slices.Contains(workload.Engines(), w.Engine) {
			p.refuse("unknown engine %q", val)
		}
	case "flags":
		for v := range strings.SplitSeq(val, ",") {
			flag := workload.FlagNamed(v)
			if flag == 0 {
				p.refuse("unknown flag %q", v)
			}
			w.Flags |= flag
		}
	default:
		p.refuse("unknown option %q", key)
	}
}
