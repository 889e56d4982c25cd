package validate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// maxWrite bounds one write, in bytes, so that a text cannot ask for all memory.
const maxWrite = 256 << 20

// parseSize reads a number of bytes with an optional K, M, G or T.
func parseSize(s string) (int64, string) {
	shift := 0
	digits := s
	if s != "" {
		if at := strings.IndexByte("KMGT", s[len(s)-1]); at >= 0 {
			shift, digits = 10*(at+1), s[:len(s)-1]
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift || !isDigits(digits) {
		return 0, fmt.Sprintf("%q is not a number of bytes", s)
	}
	return n << shift, ""
}

// blockSize is the size of blocks in bytes for which a text is read; 0 when the
// text is not written in blocks.
type blockSize int64

// sizePart is a part of a size: bytes, or blocks.
const sizePart = `(\d+[KMGTB]?|B)`

// sizeExpr is a size: parts that are added and subtracted.
const sizeExpr = sizePart + `([+-]` + sizePart + `)*`

// parse reads a size: a number of bytes as parseSize does, or of blocks with B,
// and sums and differences of such numbers, as 3B+512.
func (b blockSize) parse(s string) (int64, string) {
	if b == 0 || !strings.ContainsAny(s, "B+-") {
		return parseSize(s)
	}
	total, sign, rest := int64(0), int64(1), s
	for {
		at := strings.IndexAny(rest, "+-")
		part := rest
		if at >= 0 {
			part = rest[:at]
		}
		n, ok := b.part(part)
		if total += sign * n; !ok || total < 0 || total > math.MaxInt64/2 {
			return 0, fmt.Sprintf("%q is not a number of bytes or blocks", s)
		}
		if at < 0 {
			return total, ""
		}
		sign = 1
		if rest[at] == '-' {
			sign = -1
		}
		rest = rest[at+1:]
	}
}

// part reads a number of bytes, or of blocks; B alone is one block. It is below
// 2^62, so that two of them can be added.
func (b blockSize) part(s string) (int64, bool) {
	const most = math.MaxInt64 / 2
	blocks, ok := strings.CutSuffix(s, "B")
	if !ok {
		n, msg := parseSize(s)
		return n, msg == "" && n <= most
	}
	if blocks == "" {
		return int64(b), true
	}
	n, err := strconv.ParseInt(blocks, 10, 64)
	return n * int64(b), err == nil && isDigits(blocks) && n <= most/int64(b)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// setup OPERATION ARGUMENTS
func (p *parser) setup(line string, args []string) string {
	if len(args) == 0 {
		return "setup needs an operation"
	}
	op, args := args[0], args[1:]
	how, known := setupOps[op]
	if !known {
		return fmt.Sprintf("unknown setup operation %q", op)
	}
	if len(args) < how.sizes {
		return fmt.Sprintf("setup %s needs %d sizes", op, how.sizes)
	}
	s := &Setup{Op: op}
	var nums [2]int64
	for i := range how.sizes {
		var msg string
		if nums[i], msg = p.block.parse(args[i]); msg != "" {
			return msg
		}
	}
	s.Off, s.Len = nums[0], nums[1]
	rest := args[how.sizes:]
	switch text := strings.Join(rest, " "); {
	case how.words == nil && text != "", how.words != nil && !how.words.MatchString(text):
		return fmt.Sprintf("setup %s does not go with %q", op, text)
	case how.bounded && s.Len > maxWrite:
		return fmt.Sprintf("setup %s of %d bytes is more than %d", op, s.Len, maxWrite)
	}
	if how.read != nil {
		if msg := how.read(s, rest); msg != "" {
			return msg
		}
	}
	p.cur.Steps = append(p.cur.Steps, Step{Line: p.line, Text: line, Setup: s})
	return ""
}

// write KEY=VALUE...
func (p *parser) write(line string, args []string) string {
	w := &Write{Pos: -1, Limit: -1, Fresh: -1, Expect: map[string]Fields{}}
	seen := map[string]bool{}
	for _, a := range args {
		key, val, ok := strings.Cut(a, "=")
		if !ok || seen[key] {
			return fmt.Sprintf("%q is not KEY=VALUE, or is given twice", a)
		}
		seen[key] = true
		if msg := w.parseOption(p.block, key, val); msg != "" {
			return msg
		}
	}
	if w.Pos < 0 || len(w.Segs) == 0 || seen["len"] && seen["iov"] {
		return "write needs pos, and len or iov"
	}
	if w.Engine == "" {
		w.Engine = workload.Pwrite
		if w.Flags != 0 || len(w.Segs) > 1 {
			w.Engine = workload.Pwritev2
		}
	}
	if w.Engine == workload.Pwrite && (w.Flags != 0 || len(w.Segs) > 1) {
		return "pwrite takes neither flags nor iov"
	}
	if w.Len() > maxWrite || len(w.Segs) > workload.MaxSegs {
		return fmt.Sprintf("write of %d bytes in %d segments: at most %d in %d", w.Len(), len(w.Segs), maxWrite, workload.MaxSegs)
	}
	p.cur.Steps = append(p.cur.Steps, Step{Line: p.line, Text: line, Write: w})
	return ""
}

func (w *Write) parseOption(b blockSize, key, val string) string {
	var msg string
	switch key {
	case "pos":
		w.Pos, msg = b.parse(val)
	case "limit":
		w.Limit, msg = b.parse(val)
	case "fresh":
		w.Fresh, msg = b.parse(val)
	case "buf":
		var n int64
		if n, msg = b.parse(val); msg == "" && n >= 64<<10 {
			msg = fmt.Sprintf("buf %d is not below 64K", n)
		}
		w.Buf = int(n)
	case "len", "iov":
		for v := range strings.SplitSeq(val, ",") {
			n, m := b.parse(v)
			if m != "" || n > maxWrite {
				return fmt.Sprintf("%q is not a length", v)
			}
			w.Segs = append(w.Segs, int(n))
		}
		if key == "len" && len(w.Segs) > 1 {
			return "len is one number; use iov for segments"
		}
	case "engine":
		w.Engine = workload.EngineName(val)
		if !slices.Contains(workload.Engines(), w.Engine) {
			return fmt.Sprintf("unknown engine %q", val)
		}
	case "flags":
		for v := range strings.SplitSeq(val, ",") {
			flag := workload.FlagNamed(v)
			if flag == 0 {
				return fmt.Sprintf("unknown flag %q", v)
			}
			w.Flags |= flag
		}
	default:
		return fmt.Sprintf("unknown option %q", key)
	}
	return msg
}
