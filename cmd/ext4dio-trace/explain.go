package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/analyze/explain"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	pos, length, isize, disksize, guess, blocksize, bufferAlign string
	extents, variant, cache                                     string
	nowait, appending, async, atomic                            bool
	indirect, nosec, stale, cached, stuck, busy                 bool
	inline, journalled, encrypted, dax                          bool
	limit, rule                                                 string
	trace                                                       []string
	seq                                                         uint64
	json                                                        bool
}

// newExplainCmd makes the command that explains one decision.
func newExplainCmd() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain --pos N --len N --extents LAYOUT",
		Short: "decide one write step by step, for one kernel or all",
		Long: `Draws the write on the file's blocks, walks through ext4's decision step by
step, and shows the outcome. No kernel is asked: everything follows from the
flags. --variant takes several names, or "all": then the kernels stand side by
side and a '*' marks where they part.

--extents is a letter for each block from the start of the file, with a number
in front of which it stands for that many: W written, U unwritten, H hole,
D delayed; '|' where the next extent lies elsewhere on the device. What follows
is a hole. Sizes are bytes, or with K, M, G.

Without --pos, lines of "live --json" on standard input are explained: what was
observed beside what was expected. --trace and --seq explain one write of a
recorded trace: the number is SEQ of its line in view, seq in JSON; check lists
those of writes that disagree. Parts of one recording (record --rotate) are given
together, as view was given them.`,
		Example: `  ext4dio-trace explain --pos 512 --len 14336 --extents W,U,U,W
  ext4dio-trace explain --pos 512 --len 14336 --extents WUUW --variant base,patch3,patch4
  ext4dio-trace explain --pos 4K --len 8K --extents W2 --nowait --variant all
  ext4dio-trace explain --pos 0 --len 1K --extents H4 --indirect --json
  ext4dio-trace explain --rule R2
  ext4dio-trace live --json --only differs,unsafe | ext4dio-trace explain
  ext4dio-trace explain --trace db.e4d --seq 17
  ext4dio-trace explain --seq 17 --trace ring.e4d*`,
		Args: o.takeParts,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&o.pos, "pos", "", "position of the write")
	fl.StringVar(&o.length, "len", "", "bytes to write")
	fl.StringVar(&o.extents, "extents", "", "layout of the file, e.g. W,U,U,W or W4H100")
	_ = fl.SetAnnotation("extents", meansNone, nil) // of an empty file; the flag is there
	fl.StringVar(&o.blocksize, "blocksize", "4096", "block size of the file system")
	fl.StringVar(&o.isize, "isize", "", "i_size (default: to the end of the layout)")
	fl.StringVar(&o.disksize, "disksize", "", "i_disksize (default: i_size)")
	fl.StringVar(&o.guess, "guess-isize", "", "i_size as it is read before the first lock (default: i_size)")
	fl.StringVar(&o.bufferAlign, "buffer-align", "", "alignment of the buffer's address (default: the block size)")
	fl.BoolVar(&o.nowait, "nowait", false, "RWF_NOWAIT")
	fl.BoolVar(&o.appending, "append", false, "O_APPEND: the write is made at i_size")
	fl.BoolVar(&o.async, "async", false, "libaio or io_uring")
	fl.BoolVar(&o.atomic, "atomic", false, "RWF_ATOMIC, for any power of two up to 64K")
	fl.BoolVar(&o.indirect, "indirect", false, "a block map instead of extents (ext3's inodes)")
	fl.BoolVar(&o.nosec, "nosec", true, "an earlier write found no security info to remove")
	fl.BoolVar(&o.stale, "stale", false, "mtime or ctime is not the current time")
	fl.BoolVar(&o.cached, "cached", false, "pages of the range are in the page cache")
	fl.BoolVar(&o.stuck, "cached-busy", false, "these pages cannot be dropped")
	fl.BoolVar(&o.busy, "locked", false, "i_rwsem is held by somebody else")
	fl.StringVar(&o.cache, "cache", "merged", "extent-status tree: merged (everything in it) or cold (nothing)")
	fl.BoolVar(&o.inline, "inline-data", false, "the data lies in the inode")
	fl.BoolVar(&o.journalled, "data-journal", false, "the data is journalled")
	fl.BoolVar(&o.encrypted, "encrypted", false, "encrypted, without inline encryption")
	fl.BoolVar(&o.dax, "dax", false, "a DAX inode")
	fl.StringVar(&o.limit, "limit", "", "RLIMIT_FSIZE")
	fl.StringVar(&o.variant, "variant", "linux-7.3", "all, or some of "+strings.Join(model.VariantNames(), ", "))
	fl.BoolVar(&o.json, "json", false, "one JSON object")
	fl.StringArrayVar(&o.trace, "trace", nil, "explain a write of this recorded `FILE` instead; its other parts may follow")
	fl.Uint64Var(&o.seq, "seq", 0, "with --trace: the number of the write, from 1")
	fl.StringVar(&o.rule, "rule", "", "explain a rule instead, R1 to R13, or all")
	return cmd
}

// takeParts takes the files behind that of --trace, as the shell makes them of ring.e4d*.
func (o *explainOptions) takeParts(_ *cobra.Command, args []string) error {
	if len(o.trace) == 0 && len(args) > 0 {
		return usagef(progName+" explain --seq N --trace "+strings.Join(args, " "), "unexpected argument %q", args[0])
	}
	o.trace = append(o.trace, args...)
	return nil
}

const explainHint = progName + " explain --pos 512 --len 14336 --extents W,U,U,W"

func (o *explainOptions) run(cmd *cobra.Command) error {
	if o.rule != "" {
		return o.explainRule(cmd)
	}
	if len(o.trace) > 0 {
		return o.recorded(cmd)
	}
	if o.seq != 0 {
		return usagef(progName+" explain --trace trace.e4d --seq 1", "--seq needs --trace")
	}
	if !cmd.Flags().Changed("pos") {
		return o.observed(cmd)
	}
	c, err := o.theCase()
	if err != nil {
		return err
	}
	e, err := explain.Explain(c)
	if errors.Is(err, model.ErrFact) {
		return usagef(explainHint, "%v", err)
	}
	if err != nil {
		return err
	}
	if o.json {
		return e.WriteJSON(cmd.OutOrStdout())
	}
	return e.WriteText(cmd.OutOrStdout())
}

// theCase is the write that the flags describe.
func (o *explainOptions) theCase() (explain.Case, error) {
	var c explain.Case
	extents, err := model.ParseExtents(o.extents)
	if err != nil {
		return c, usagef(explainHint, "--extents: %v", err)
	}
	if c.Variants, err = parseVariants(o.variant); err != nil {
		return c, err
	}
	block, err := o.size("blocksize", o.blocksize, 0)
	if err != nil {
		return c, err
	}
	if block < 1 || block&(block-1) != 0 {
		return c, usagef("--blocksize 4096", "--blocksize: %d is no power of two", block)
	}
	blkbits := uint8(bits.TrailingZeros64(uint64(block)))
	whole := extents.Blocks() << blkbits
	in := model.NewInode(blkbits, whole, extents)
	c.Inode = in
	for _, f := range []struct {
		name, text string
		to         *int64
		def        func() int64
	}{
		{"pos", o.pos, &c.Write.Pos, func() int64 { return 0 }},
		{"isize", o.isize, &in.ISize, func() int64 { return whole }},
		{"disksize", o.disksize, &in.IDisksize, func() int64 { return in.ISize }},
		{"guess-isize", o.guess, &in.ISizeAtGuess, func() int64 { return in.ISize }},
		{"limit", o.limit, &in.Limits.Fsize, func() int64 { return 0 }},
	} {
		if *f.to, err = o.size(f.name, f.text, f.def()); err != nil {
			return c, err
		}
	}
	if o.length == "" {
		return c, usagef(explainHint, "no --len given")
	}
	if c.Write.Len, err = o.size("len", o.length, 0); err != nil {
		return c, err
	}
	return c, o.fill(&c, block)
}

// fill sets what is on or off.
func (o *explainOptions) fill(c *explain.Case, block int64) error {
	align, err := o.size("buffer-align", o.bufferAlign, block)
	if err != nil {
		return err
	}
	if align < 1 || align&(align-1) != 0 {
		return usagef("--buffer-align 512", "--buffer-align: %d is no power of two", align)
	}
	if align < block {
		c.Write.Buffer = uint32(align)
	}
	for _, f := range []struct {
		on  bool
		bit uint32
	}{{o.nowait, model.IocbNowait}, {o.appending, model.IocbAppend}, {o.atomic, model.IocbAtomic}} {
		if f.on {
			c.Write.Flags |= f.bit
		}
	}
	c.Write.Async = o.async
	in := c.Inode
	in.Indirect, in.Nosec, in.Stale, in.Busy, in.DAX = o.indirect, o.nosec, o.stale, o.busy, o.dax
	in.Cached, in.InvalidateFails = o.cached || o.stuck, o.stuck
	in.Direct.Inline, in.Direct.Journal = model.AnswerOf(o.inline), model.AnswerOf(o.journalled)
	in.Direct.Encrypt = model.AnswerOf(o.encrypted)
	in.Limits.AtomicMin, in.Limits.AtomicMax = block, max(block, 64<<10)
	switch o.cache {
	case "merged":
	case "cold":
		in.Cache = model.CacheCold
	default:
		return usagef("--cache merged", "--cache: %q is neither merged nor cold", o.cache)
	}
	return nil
}

// parseVariants reads a list of names, or "all".
func parseVariants(text string) ([]model.Variant, error) {
	if text == "all" {
		return model.Distinct(), nil
	}
	var out []model.Variant
	for _, name := range strings.Split(text, ",") {
		v, err := model.ParseVariant(name)
		if err != nil {
			return nil, usagef("--variant all, "+strings.Join(model.VariantNames(), ", "), "unknown variant %q", name)
		}
		out = append(out, v)
	}
	return out, nil
}

// size reads the value of a flag, in bytes; an empty one is def. The model says
// what it thinks of a negative one.
func (o *explainOptions) size(name, text string, def int64) (int64, error) {
	if text == "" {
		return def, nil
	}
	number, negative := strings.CutPrefix(text, "-")
	n, err := kernelvm.ParseSize(number)
	if err != nil {
		return 0, usagef("--"+name+" 4096", "--%s: %q is no size in bytes", name, text)
	}
	if negative {
		n = -n
	}
	return n, nil
}

// explainRule prints what one rule says, or all.
func (o *explainOptions) explainRule(cmd *cobra.Command) error {
	if o.rule == "all" {
		return rules.Write(cmd.OutOrStdout())
	}
	r, err := rules.Parse(o.rule)
	if err != nil {
		return usagef(progName+" explain --rule all", "--rule: %v", err)
	}
	return r.WriteText(cmd.OutOrStdout())
}

// observed explains the lines of "live --json" on standard input.
func (o *explainOptions) observed(cmd *cobra.Command) error {
	if f, ok := cmd.InOrStdin().(*os.File); ok && isTerminal(f) {
		return usagef(explainHint, "no --pos given, and no lines of \"live --json\" on standard input")
	}
	if o.json {
		return usagef(progName+" explain --pos 0 --len 4K --json", "--json explains flags, not lines of JSON")
	}
	in := bufio.NewScanner(cmd.InOrStdin())
	in.Buffer(nil, 1<<20)
	n, others := 0, 0
	for in.Scan() {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		row, err := export.ParseJSON(line)
		if errors.Is(err, export.ErrNoFacts) && (n > 0 || export.LineKind(line) != "") {
			others++ // of another kind, such as the summary at the end
			continue
		}
		if err != nil {
			return usagef(progName+" live --json | "+progName+" explain", "line %d of standard input: %v", n+others+1, err)
		}
		if n++; n > 1 {
			fmt.Fprintln(cmd.OutOrStdout())
		}
		if err := o.explainRow(cmd, row); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	switch {
	case n == 0 && others > 0:
		note(cmd.ErrOrStderr(), "no write was to be explained")
	case n == 0:
		return usagef(explainHint, "no --pos given, and no line on standard input")
	}
	return nil
}

// explainRow explains one line under the variant that it was judged by, or those
// that were asked for.
func (o *explainOptions) explainRow(cmd *cobra.Command, row *export.Row) error {
	name := o.variant
	if !cmd.Flags().Changed("variant") && row.Variant != "" {
		name = row.Variant
	}
	variants, err := parseVariants(name)
	if err != nil {
		return err
	}
	path := cmp.Or(row.Path, fmt.Sprintf("inode %d", row.Ino))
	ob := explain.Observed{
		Title: fmt.Sprintf("%s on %s, by %s (%s)%s", export.Safe(path), export.DevName(row.Dev), export.Safe(row.Comm), row.Numbers(), tryText(row)),
		Write: row.Observation(), Variants: variants,
	}
	return ob.WriteText(cmd.OutOrStdout())
}

// recorded explains one write of a trace, by its number.
func (o *explainOptions) recorded(cmd *cobra.Command) error {
	const hint = progName + " check " // it lists the numbers of writes that disagree
	files := strings.Join(o.trace, " ")
	switch {
	case o.seq == 0:
		return usagef(hint+files, "--trace needs --seq N, the number of a write in it")
	case o.json:
		return usagef(progName+" view --json "+files, "--json explains flags, not a recorded write")
	}
	in, err := openTrace(o.trace, progName+" explain --trace "+o.trace[0]+" --seq "+fmt.Sprint(o.seq), "explained")
	if err != nil {
		return err
	}
	defer in.Close()
	row, total, err := findWrite(cmd, in, o.seq)
	switch {
	case err != nil:
		return err
	case row == nil:
		return usagef(hint+files, "there is no write %d in %s, which has %d", o.seq, files, total)
	}
	return o.explainRow(cmd, row)
}

// findWrite judges a trace up to the write of a number, counted from 1 as view shows
// them. The row is nil when there are only total.
func findWrite(cmd *cobra.Command, in *tracefile.Recording, number uint64) (row *export.Row, total uint64, err error) {
	_, err = replay.Judge(cmd.Context(), in, "auto", func(k *session.Kernel) session.Seen {
		maker := k.Maker(in)
		return func(ob *observe.Observation, v *judge.Verdict) {
			if total = v.Seq; total == number {
				row = new(export.Row)
				maker.Fill(row, ob, v)
				_ = in.Stop() // it never fails
			}
		}
	})
	if err != nil {
		return nil, 0, err
	}
	return row, total, nil
}

// tryText says of a write that was refused before that it was.
func tryText(r *export.Row) string {
	if r.Try.V < 2 {
		return ""
	}
	return fmt.Sprintf(", try %d of request %d", r.Try.V, r.Request)
}
