package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/analyze/advice"
	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/fio"
	"github.com/ext4dio/ext4dio-trace/export/parquet"
	"github.com/ext4dio/ext4dio-trace/export/perfetto"
	"github.com/ext4dio/ext4dio-trace/export/xfsio"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/outfile"
	"github.com/ext4dio/ext4dio-trace/trace/redact"
	"github.com/ext4dio/ext4dio-trace/trace/replay"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

//go:generate go test -count=1 . -run FormatsPage -update

// exportFormats are the formats, in the order in which they are listed. All that is said
// and done about a format comes from here, the table of docs/export.md, too.
var exportFormats = []export.Format{export.JSONLFormat, export.CSVFormat, parquet.Format, perfetto.Format, xfsio.Format, xfsio.FstestsFormat, fio.Format, traceFormat}

// formatNames lists the names of the formats that use accepts, all for a nil use.
func formatNames(use func(*export.Format) bool) []string {
	var out []string
	for i := range exportFormats {
		if f := &exportFormats[i]; use == nil || use(f) {
			out = append(out, f.Name)
		}
	}
	return out
}

// formatHelp says what the formats are, a line or two each.
func formatHelp() string {
	var b strings.Builder
	for _, f := range exportFormats {
		fmt.Fprintf(&b, "  %-9s %s\n", f.Name, strings.ReplaceAll(f.Help, "\n", "\n"+strings.Repeat(" ", 12)))
	}
	return b.String()
}

// exportFlags are the flags of export.
type exportFlags struct {
	format  string
	out     string
	variant string
	choose  rowFilter
	redact  redactFlags
}

// newExportCmd makes the command that turns a trace into what other programs read.
func newExportCmd() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export [flags] FILE…",
		Short: "turn a recorded trace into what other programs read",
		Long: `Judge a recorded trace and write its writes in another format:

` + formatHelp() + `
Filters choose among the judged writes; all are judged, so that a verdict does
not depend on them. Times are those at which a write began: since the recording
began (2.5s), or on the wall clock (2026-11-22T20:00:00Z).

` + redactHelp + `
Filters ask for the true names.

Exit status: 0 the trace was exported, whatever the verdicts; 4 writes are
missing in it, because they were lost or the trace is not whole, or there was no
write to repeat: then xfsio and fstests write nothing.`,
		Example: `  ext4dio-trace export db.e4d --format parquet -o db.parquet
  ext4dio-trace export db.e4d --format xfsio --only unsafe,differs -o repeat.sh
  ext4dio-trace export db.e4d --format jsonl --from 10s --to 11s | jq '.lock // empty'`,
		Args: needFile,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), args) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&f.format, "format", "", strings.Join(formatNames(nil), ", "))
	folders := formatNames(func(f *export.Format) bool { return f.To == export.ToFolder })
	fl.StringVarP(&f.out, "output", "o", "-", "the file to write, or - for standard output; the folder for "+strings.Join(folders, ", "))
	fl.StringVar(&f.variant, "variant", "auto", variantUsage())
	f.choose.register(fl)
	f.redact.register(fl)
	return cmd
}

func (f *exportFlags) run(ctx context.Context, paths []string) error {
	if err := f.check(); err != nil {
		return err
	}
	in, err := openTrace(paths, progName+" export "+paths[0]+" --format "+f.format, "exported")
	if err != nil {
		return err
	}
	defer in.Close()
	if err := f.choose.resolve(in.Info()); err != nil {
		return err
	}
	redactor, err := f.redact.redactor()
	if err != nil {
		return err
	}
	if f.chosen().New == nil {
		return f.runCopy(ctx, in, redactor, paths)
	}
	info := in.Info()
	if redactor != nil {
		if info, err = redactor.Info(info); err != nil {
			return err
		}
	}
	k, err := replay.Kernel(ctx, in, f.variant)
	if err != nil {
		return err
	}
	out, err := f.open(paths)
	if err != nil {
		return err
	}
	target := out.target(info)
	if target.Start, err = k.StartLine(f.variant, in.Info().Monotonic); err != nil {
		return err
	}
	w := f.chosen().New(target)
	if redactor != nil {
		w = redactedWriter{w, redactor}
	}
	shown, seen, err := f.pump(ctx, in, k, w)
	err = errors.Join(err, w.Close())
	if errors.Is(err, export.ErrNothing) {
		note(os.Stderr, "%d of %d writes were chosen, and nothing was written: %v", shown, seen, err)
		return errors.Join(f.failed(out, nil), sayExportLosses(os.Stderr, in), &exit.Error{Code: exit.Unproven})
	}
	if err != nil {
		return f.failed(out, err)
	}
	if err := out.close(); err != nil {
		return f.failed(out, err)
	}
	if f.out != "-" {
		note(os.Stderr, "exported %d of %d writes to %s", shown, seen, out.name())
	}
	return sayExportLosses(os.Stderr, in)
}

// runCopy writes the trace itself once more.
func (f *exportFlags) runCopy(ctx context.Context, in *tracefile.Recording, r *redact.Redactor, paths []string) error {
	if f.filtered() {
		return usagef("--format jsonl", "%s is all of a trace: nothing can be filtered away", f.format)
	}
	out, err := f.open(paths)
	if err != nil {
		return err
	}
	var redactor tracefile.Redactor
	if r != nil {
		redactor = r
	}
	writes, err := copyTrace(ctx, in, out.buf, redactor)
	if err := errors.Join(err, out.close()); err != nil {
		return f.failed(out, err)
	}
	if f.out != "-" {
		note(os.Stderr, "exported %d of %d writes to %s", writes, writes, f.out)
	}
	return sayExportLosses(os.Stderr, in)
}

// filtered reports whether a flag chooses among the writes, or by what they are judged.
func (f *exportFlags) filtered() bool {
	none := rowFilter{until: f.choose.until} // set by resolve
	return !reflect.DeepEqual(f.choose, none) || f.variant != "auto"
}

// chosen is the format that was asked for, nil when there is no such.
func (f *exportFlags) chosen() *export.Format {
	i := slices.IndexFunc(exportFormats, func(format export.Format) bool { return format.Name == f.format })
	if i < 0 {
		return nil
	}
	return &exportFormats[i]
}

// check refuses what cannot be.
func (f *exportFlags) check() error {
	hint := "--format " + strings.Join(formatNames(nil), ", --format ")
	format := f.chosen()
	switch {
	case f.format == "":
		return usagef(hint, "no --format given")
	case format == nil:
		return usagef(hint, "--format %q is not known", f.format)
	case format.To == export.ToFile && f.out == "-" && isTerminal(os.Stdout):
		return usagef("-o FILE", "%s is not for a terminal", f.format)
	case format.To == export.ToFolder && f.out == "-":
		return usagef("-o FOLDER", "%s needs a folder: %s are written there", f.format, format.Into)
	}
	if err := checkVariant(f.variant); err != nil {
		return err
	}
	return f.choose.check()
}

// pump judges all of a trace and writes what the filters let through. A stream has what is
// lost in its place, and what came out of all writes at its end.
func (f *exportFlags) pump(ctx context.Context, in *tracefile.Recording, k session.Kernel, w export.Writer) (shown, seen uint64, err error) {
	var row export.Row
	var sum export.Summary
	var failed error
	fail := func(err error) {
		if err != nil && failed == nil {
			failed = err
			_ = in.Stop() // it never fails
		}
	}
	stream := streamOf(w)
	maker, place := k.Maker(in), 0
	advise := advice.New()
	advise.NoWaits = maker.NoWaits
	k.Held = advise.Hold
	if to := holdsOf(w); to != nil {
		k.Held = func(h *observe.Hold) {
			advise.Hold(h)
			if failed == nil && h.Got() && f.choose.during(h) && (stream == nil || f.choose.choosesAll()) {
				fail(to.Hold(h, in.Path(h.File())))
			}
		}
	}
	judged, err := replay.JudgeAs(ctx, in, k, f.variant, func(o *observe.Observation, v *judge.Verdict) {
		seen++
		if failed != nil {
			return
		}
		if stream != nil {
			advise.Add(o, v)
		}
		maker.Fill(&row, o, v)
		shows := f.choose.shows(&row) // by its names
		if redacted, ok := w.(redactedWriter); ok {
			redacted.r.Row(&row)
		}
		if stream != nil {
			sum.Totals.Add(&row)
			if now := in.Place(); now != place {
				place = now
				fail(lostSoFar(in, stream))
			}
		}
		if !shows {
			return
		}
		shown++
		fail(w.Write(&row))
	})
	if failed == nil && err == nil && stream != nil {
		sum.Advice = advise.Findings(namesFor(w, in))
		if err = judged.Account(&sum); err == nil {
			err = stream.End(&sum)
		}
	}
	if failed != nil {
		err = failed
	}
	return shown, seen, err
}

// redactedWriter takes rows of which the names are taken out, as in the totals.
type redactedWriter struct {
	export.Writer
	r *redact.Redactor
}

// namesFor are the names of files as w may have them.
func namesFor(w export.Writer, in *tracefile.Recording) export.Names {
	if redacted, ok := w.(redactedWriter); ok {
		return redacted.r.Names(in)
	}
	return in
}

// Hold takes names out of a hold.
func (w redactedWriter) Hold(h *observe.Hold, path string) error {
	one := *h
	one.Comm = w.r.Comm(h.Comm)
	return w.Writer.(holdWriter).Hold(&one, w.r.Name(path))
}

// holdWriter is a Writer that shows who else held the lock.
type holdWriter interface {
	Hold(h *observe.Hold, path string) error
}

// holdsOf is w as one, nil when it is none.
func holdsOf(w export.Writer) holdWriter {
	below := w
	if r, ok := w.(redactedWriter); ok {
		below = r.Writer
	}
	if _, ok := below.(holdWriter); !ok {
		return nil
	}
	return w.(holdWriter)
}

// streamOf is w as a Stream, nil when it is none.
func streamOf(w export.Writer) export.Stream {
	if r, ok := w.(redactedWriter); ok {
		w = r.Writer
	}
	stream, _ := w.(export.Stream)
	return stream
}

// lostSoFar tells a stream what was lost in what was read.
func lostSoFar(in *tracefile.Recording, to export.Stream) error {
	l, err := replay.Losses(in)
	if err != nil {
		return err
	}
	return to.Lost(l)
}

// exportOutput is where an export goes: one file, or files in a folder.
type exportOutput struct {
	file  *os.File
	dir   string
	files []string // in dir, by their names
	made  []string // to be taken away again when it fails, in their order
	buf   *bufio.Writer
}

// open makes the output.
func (f *exportFlags) open(inputs []string) (*exportOutput, error) {
	if f.out == "-" {
		return &exportOutput{file: os.Stdout, buf: bufio.NewWriterSize(os.Stdout, 64<<10)}, nil
	}
	if f.chosen().To == export.ToFolder {
		made := missingFolders(f.out)
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return nil, usagef("-o FOLDER", "cannot export: %v", err)
		}
		return &exportOutput{dir: f.out, made: made}, nil
	}
	if err := outfile.Check(append(slices.Clone(inputs), f.redact.key), outfile.Out{Flag: "-o", Path: f.out}); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, usagef("-o FILE", "cannot export: %v", err)
	}
	return &exportOutput{file: file, made: []string{f.out}, buf: bufio.NewWriterSize(file, 64<<10)}, nil
}

func (o *exportOutput) close() error {
	if o.buf == nil {
		return nil
	}
	err := o.buf.Flush()
	if o.file != os.Stdout {
		err = errors.Join(err, o.file.Close())
	}
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// failed removes an unfinished file. A reader that goes away is no failure.
func (f *exportFlags) failed(o *exportOutput, err error) error {
	if isClosedPipe(err) {
		return nil
	}
	for _, path := range slices.Backward(o.made) {
		if st, e := os.Lstat(path); e == nil && (st.Mode().IsRegular() || st.IsDir()) {
			_ = os.Remove(path) // the error is told already; a folder that has anything else stays
		}
	}
	return err
}

// target is what a format is given.
func (o *exportOutput) target(info *tracefile.Info) export.Target {
	t := export.Target{
		Create: o.create, Taken: o.taken, About: exportAbout(info), Pairs: exportPairs(info),
		Clocks: export.Clocks{Monotonic: info.Monotonic, Boot: info.Boot, Real: uint64(max(info.Began.UnixNano(), 0))},
	}
	if o.buf != nil {
		t.Out = o.buf
	}
	return t
}

// exportAbout says where a trace comes from, in lines. The host's name is not among them.
func exportAbout(info *tracefile.Info) []string {
	out := []string{
		"Seen on Linux " + info.Release + ", " + info.Arch + ", " + info.Build,
		"Recorded " + info.Began.UTC().Format("2006-01-02 15:04:05 MST") + " by " + progName + " " + info.Tool + ", exported by " + versionText(),
	}
	for _, fs := range info.FileSystems {
		out = append(out, "ext4 on "+fs.Dev+": "+fs.Facts(","))
	}
	return out
}

// exportPairs is the same for programs.
func exportPairs(info *tracefile.Info) map[string]string {
	return map[string]string{
		"kernel_release": info.Release, "kernel_build": info.Build, "arch": info.Arch, "recorded_by": info.Tool, "exported_by": versionText(),
		"began": info.Began.UTC().Format("2006-01-02T15:04:05.999999999Z07:00"), "began_monotonic_ns": fmt.Sprint(info.Monotonic),
	}
}

// sayExportLosses says what is missing in what was exported.
func sayExportLosses(stderr io.Writer, in *tracefile.Recording) error {
	torn := replay.SayMissing(stderr, in)
	losses, err := replay.Losses(in)
	if err != nil {
		return err
	}
	if losses.Any() {
		fmt.Fprintf(stderr, "LOST: %s\n", losses)
	}
	if torn || losses.Any() {
		return &exit.Error{Code: exit.Unproven}
	}
	return nil
}

// rowFilter chooses among judged writes, by what a row shows.
type rowFilter struct {
	pid        uint32
	comm       string
	dev        string
	ino        uint64
	path       string
	minLatency time.Duration
	from, to   string
	rowChoice

	devNumber     uint32
	begins, until uint64 // ns of CLOCK_MONOTONIC; until is not in it
}

func (f *rowFilter) register(flags *pflag.FlagSet) {
	flags.Uint32Var(&f.pid, "pid", 0, "only this process (all its threads)")
	flags.StringVar(&f.comm, "comm", "", "only threads of this name")
	flags.StringVar(&f.dev, "dev", "", "only this device: MAJOR:MINOR, or a source or folder that the trace knows")
	flags.Uint64Var(&f.ino, "ino", 0, "only this inode number")
	flags.StringVar(&f.path, "path", "", "only this path; * and ? stand for other characters")
	flags.DurationVar(&f.minLatency, "min-latency", 0, "only writes that took at least this long, such as 5ms")
	f.rowChoice.register(flags, "only these: ")
	flags.StringVar(&f.from, "from", "", "only writes from this time on")
	flags.StringVar(&f.to, "to", "", "only writes before this time")
}

// check refuses what cannot be meant, whatever the trace.
func (f *rowFilter) check() error {
	if f.minLatency < 0 {
		return usagef("--min-latency 5ms", "--min-latency must not be negative")
	}
	if err := f.checkOnly(); err != nil {
		return err
	}
	if _, err := filepath.Match(f.path, ""); err != nil && f.isPattern() {
		return usagef("", "--path %q: %v", f.path, err)
	}
	return nil
}

// resolve turns what was typed into numbers, by what the trace says of itself.
func (f *rowFilter) resolve(info *tracefile.Info) error {
	var err error
	f.until = math.MaxUint64
	if f.from != "" {
		if f.begins, err = traceTime("--from", f.from, info); err != nil {
			return err
		}
	}
	if f.to != "" {
		if f.until, err = traceTime("--to", f.to, info); err != nil {
			return err
		}
	}
	if f.begins >= f.until {
		return usagef("--from 1s --to 2s", "--from %s is not before --to %s", f.from, f.to)
	}
	if f.dev != "" {
		f.devNumber, err = traceDevice(f.dev, info)
	}
	return err
}

// traceTime is a time of a trace as ns of CLOCK_MONOTONIC.
func traceTime(flag, text string, info *tracefile.Info) (uint64, error) {
	since, err := time.ParseDuration(text)
	if err != nil {
		wall, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return 0, usagef(flag+" 2.5s, or "+flag+" 2026-11-22T20:00:00Z", "%s %q is no time", flag, text)
		}
		since = wall.Sub(info.Began)
	}
	if since < 0 && uint64(-since) > info.Monotonic {
		return 0, nil
	}
	return info.Monotonic + uint64(since), nil
}

// traceDevice finds a device by its numbers, or by a name that the trace knows.
func traceDevice(text string, info *tracefile.Info) (uint32, error) {
	number := text
	var known []string
	for _, fs := range info.FileSystems {
		known = append(known, "--dev "+fs.Dev)
		if text == fs.Source || text == fs.Point {
			number = fs.Dev
		}
	}
	dev, ok := export.ParseDev(number)
	if !ok {
		return 0, usagef(strings.Join(known, ", "), "--dev %q is no MAJOR:MINOR, and the trace knows no such device", text)
	}
	return dev, nil
}

func (f *rowFilter) isPattern() bool { return strings.ContainsAny(f.path, "*?") }

// named reports whether a path is the one that is looked for.
func (f *rowFilter) named(path string) bool {
	if !f.isPattern() {
		return path == f.path
	}
	ok, _ := filepath.Match(f.path, path) // check has tried the pattern
	return ok
}

// during reports whether a hold lies in the time that is asked for.
func (f *rowFilter) during(h *observe.Hold) bool { return h.To > f.begins && h.From < f.until }

// choosesAll reports whether the writes of that time are all let through.
func (f *rowFilter) choosesAll() bool {
	return f.rowChoice.choosesAll() && f.pid == 0 && f.comm == "" && f.dev == "" && f.ino == 0 && f.path == "" && f.minLatency == 0
}

// shows reports whether a row is let through.
func (f *rowFilter) shows(r *export.Row) bool {
	if f.pid != 0 && r.Pid != f.pid || f.comm != "" && r.Comm != f.comm || f.ino != 0 && r.Ino != f.ino ||
		f.dev != "" && r.Dev != f.devNumber || r.TimeNs < f.begins || r.TimeNs >= f.until {
		return false
	}
	if f.path != "" && !f.named(r.Path) {
		return false
	}
	if f.minLatency > 0 && (!r.LatencyNs.Known || r.LatencyNs.V < uint64(f.minLatency)) {
		return false
	}
	return f.rowChoice.shows(r)
}
