package whatif

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// App is what an application, or who runs it, does otherwise. The zero value is as it was.
type App struct {
	// Align rounds positions, lengths and memory to so many bytes; AlignBlock to the blocks of
	// each file. 0 leaves them.
	Align      int64
	Prewritten bool // every block is written before, and i_size is ahead
	ISizeAhead bool // fallocate before: i_size is ahead, the blocks unwritten
	NoNowait   bool // without RWF_NOWAIT; io_uring hands each write to a thread at once
	Nosec      bool // no suid, sgid or capability that a write would have to remove
	Alone      bool // who else held i_rwsem does so at another time
}

// AlignBlock aligns to the blocks of each file.
const AlignBlock = -1

// maxAlign bounds what is rounded to, bytes.
const maxAlign = 1 << 20

// remedy is one change that has a name.
type remedy struct {
	name  string
	does  string // what it means
	costs string // what it takes and is not counted
	set   func(*App)
}

// remedies are the changes, in the order in which they are named.
var remedies = []remedy{
	{
		"align", "positions, lengths and memory are multiples of the block, or of align=SIZE",
		"the program keeps what the rest of a block holds, and writes more bytes", func(a *App) { a.Align = AlignBlock },
	},
	{
		"prewritten", "all blocks are written before, and i_size is ahead",
		"each block is written once more, before; appending becomes writing at a position", func(a *App) { a.Prewritten = true },
	},
	{
		"isize-ahead", "fallocate before: i_size is ahead, blocks are unwritten",
		"fallocate from time to time; appending becomes writing at a position", func(a *App) { a.ISizeAhead = true },
	},
	{
		"no-nowait", "no RWF_NOWAIT; io_uring with IOSQE_ASYNC",
		"a thread waits, or for io_uring one of its workers", func(a *App) { a.NoNowait = true },
	},
	{
		"nosec", "no suid or sgid bit and no capability on the files",
		"chmod or setcap -r, once", func(a *App) { a.Nosec = true },
	},
	{
		"alone", "reads, truncate and whoever else held i_rwsem do so at another time",
		"what they did has to be done then", func(a *App) { a.Alone = true },
	},
}

// notSimulated are changes that one may ask for, and why there is no answer.
var notSimulated = map[string]string{
	"one-fd":     "i_rwsem belongs to the inode: through however many descriptors a file is written, its writes lock alike",
	"one-writer": "what one writer does depends on how the others hand it their writes, which no trace tells",
	"larger":     "how long a larger write takes is not in a trace of small ones",
	"lazytime":   "which timestamp updates would still be refused is not in a trace",
	"extents":    "a file without direct I/O shows nothing of what its direct writes would do",
}

// AppNames lists the changes.
func AppNames() (all []string) {
	for i := range remedies {
		all = append(all, remedies[i].name)
	}
	return all
}

// Deciding lists the changes by which writes may lock otherwise: all but alone.
func Deciding() []string {
	return slices.DeleteFunc(AppNames(), func(name string) bool { return name == "alone" })
}

// AppHelp says what each of them means.
func AppHelp() string {
	var b strings.Builder
	for i := range remedies {
		fmt.Fprintf(&b, "  %-12s %s\n", remedies[i].name, remedies[i].does)
	}
	return b.String()
}

// ParseApp reads changes, joined by commas.
func ParseApp(text string) (a App, err error) {
	for _, part := range strings.Split(text, ",") {
		name, size, sized := strings.Cut(strings.TrimSpace(part), "=")
		at := -1
		for i := range remedies {
			if remedies[i].name == name {
				at = i
			}
		}
		why, known := notSimulated[name]
		switch {
		case known:
			return a, fmt.Errorf("%s is not simulated: %s", name, why)
		case at < 0 || sized && name != "align":
			return a, fmt.Errorf("%q is none of %s", part, strings.Join(AppNames(), ", "))
		}
		if remedies[at].set(&a); sized {
			if a.Align, err = parseAlign(size); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// parseAlign reads a size such as 4k.
func parseAlign(text string) (int64, error) {
	number, unit := strings.TrimRight(strings.ToLower(text), "k"), int64(1)
	if number != strings.ToLower(text) {
		unit = 1024
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if n *= unit; err != nil || n < 512 || n > maxAlign || bits.OnesCount64(uint64(n)) != 1 {
		return 0, fmt.Errorf("align=%s is no power of two from 512 to 1024k", text)
	}
	return n, nil
}

// String is what ParseApp reads.
func (a App) String() string {
	var all []string
	for i := range remedies {
		var one App
		if remedies[i].set(&one); a.has(one) {
			name := remedies[i].name
			if a.Align > 0 && one.Align != 0 {
				name = "align=" + sizeText(a.Align)
			}
			all = append(all, name)
		}
	}
	return strings.Join(all, ",")
}

func sizeText(n int64) string {
	if n%1024 == 0 {
		return fmt.Sprintf("%dk", n/1024)
	}
	return strconv.FormatInt(n, 10)
}

// has reports whether a makes the change that one is.
func (a App) has(one App) bool {
	return one.Align != 0 && a.Align != 0 || one.Prewritten && a.Prewritten || one.ISizeAhead && a.ISizeAhead ||
		one.NoNowait && a.NoNowait || one.Nosec && a.Nosec || one.Alone && a.Alone
}

// MarshalText writes what ParseApp reads.
func (a App) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// costs says what the changes take that is not counted.
func (a App) costs() string {
	var all []string
	for i := range remedies {
		var one App
		if remedies[i].set(&one); a.has(one) {
			all = append(all, remedies[i].costs)
		}
	}
	return strings.Join(all, "; ")
}

// ahead reports whether i_size lies behind every write.
func (a *App) ahead() bool { return a.ISizeAhead || a.Prewritten }

// to is what is rounded to, bytes: 1 for nothing.
func (a *App) to(blkbits uint8) int64 {
	switch {
	case a.Align == AlignBlock:
		return 1 << blkbits
	case a.Align > 0:
		return a.Align
	}
	return 1
}

// span is where a write lies that was pos+n, and whether that is elsewhere.
func (a *App) span(pos, n *int64, align *model.Alignment, blkbits uint8) bool {
	to := a.to(blkbits)
	if n2 := *n; n2 <= 0 || align.Known && (*pos|n2|int64(align.Bits))&(to-1) == 0 {
		return false
	}
	end := roundUp(*pos+*n, to)
	*pos = *pos / to * to
	*n = end - *pos
	*align = model.Alignment{Known: to >= 1<<blkbits}
	if !align.Known {
		*align = model.Alignment{Bits: uint32(to), Known: true}
	}
	return true
}

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }

// call changes what was known at entry, and reports whether it did.
func (a *App) call(c *model.Call) bool {
	was := *c
	if a.span(&c.Pos, &c.Len, &c.Align, c.Blkbits) {
		c.ISize = roundUp(c.ISize, a.to(c.Blkbits)) // the last write of the file is as whole
	}
	if end := c.Pos + c.Len; a.ahead() && end > c.ISize {
		c.ISize = end
	}
	if a.ahead() {
		c.Flags &^= model.IocbAppend
	}
	if a.NoNowait {
		c.Flags &^= model.IocbNowait
	}
	return *c != was
}

// checks changes what a pass saw, and reports whether it did.
func (a *App) checks(c *model.Checks, blkbits uint8) bool {
	was := *c
	if a.span(&c.Pos, &c.Count, &c.Align, blkbits) {
		to := a.to(blkbits)
		c.ISize, c.IDisksize = roundUp(c.ISize, to), roundUp(c.IDisksize, to)
	}
	if end := c.Pos + c.Count; a.ahead() {
		c.ISize, c.IDisksize = max(c.ISize, end), max(c.IDisksize, end)
	}
	c.Nosec = c.Nosec || a.Nosec
	return *c != was
}

// lookup changes what the trace tells of blocks of a file that ended at isize, and reports
// whether it did.
func (a *App) lookup(found *answer, ok *bool, q model.Query, isize int64, blkbits uint8) bool {
	state := uint32(model.MapMapped)
	switch {
	case a.Prewritten && *ok && found.Ret == int32(q.Len) && found.MFlags&model.MapMapped != 0:
		return false
	case a.Prewritten:
	case a.ISizeAhead && int64(q.Lblk)<<blkbits >= isize && (!*ok || found.either || found.Ret == 0):
		state = model.MapUnwritten
	default:
		return false
	}
	*found, *ok = answer{Result: model.Result{Ret: int32(q.Len), MFlags: state}}, true
	return true
}
