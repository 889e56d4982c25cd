package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm"
	"github.com/ext4dio/ext4dio-trace/prove/kernelvm/matrix"
)

// vmFlags are the flags of vm as they are typed.
type vmFlags struct {
	kernel  string
	resolve kernelvm.ResolveOptions
	cfg     kernelvm.Config

	disk, mem, nullBlk, mkfs, console string

	matrix string // kernels, separated by commas
	jobs   int
}

// newVMCmd makes the command that boots a kernel and runs another command in it.
func newVMCmd() *cobra.Command {
	v := &vmFlags{}
	cmd := &cobra.Command{
		Use:   "vm [flags] -- SUBCOMMAND [ARGUMENT…]",
		Short: "run any of these commands in a virtual machine, under any kernel",
		Long: `Boots a kernel in QEMU with this program as its init and runs SUBCOMMAND in it.
The guest has a SCSI disk /dev/sda with ext4 on /mnt (not mounted when the
subcommand names it with --device). Terminal, signals and exit status are those
of the subcommand. A program behind a second "--" is copied into the guest with
its libraries.

KERNEL is debian:SUITE[/FLAVOUR] with one of the suites
  ` + strings.Join(kernelvm.Suites, ", ") + `
and one of the flavours
  ` + strings.Join(kernelvm.Flavours, ", ") + `
or the path of a bzImage, or paths of a kernel's .deb files separated by commas.

It exits with the subcommand's status, or, where there is none, with 2 for wrong
usage, 3 when this machine cannot do it, 5 when the guest's kernel panics, 6 when
it hangs or the subcommand does not end in time, 7 when the guest does not boot,
and 8 when there is no such kernel. docs/bisect.md has a line for git bisect.`,
		Example: `  ext4dio-trace vm -- live
  ext4dio-trace vm --kernel debian:sid/cloud --share . -- live --json -- fio /share/job.fio
  ext4dio-trace vm --matrix debian:sid,./bzImage -- validate --device /dev/sda --destroy-data --yes
  ext4dio-trace vm --kernel ./bzImage --share ./bench --out ./res -- record -o /out/t.e4d -- /share/mybench /mnt/file`,
		RunE: func(cmd *cobra.Command, args []string) error {
			v.cfg.Args = args
			code, err := v.runAny(cmd, args)
			return vmError(cmd.ErrOrStderr(), code, err)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&v.kernel, "kernel", kernelvm.DefaultKernel, "`KERNEL` to boot")
	f.StringVar(&v.matrix, "matrix", "", "run validate under each `KERNEL,KERNEL…` and write one table of kernels and patches")
	f.IntVar(&v.jobs, "jobs", 0, "with --matrix: so many machines at a time (default one for each CPU)")
	f.StringVar(&v.resolve.Modules, "modules", "", "`DIR` with the modules of a bzImage (lib/modules/VERSION)")
	f.BoolVar(&v.resolve.Update, "update", false, "look for a newer Debian kernel now instead of once a week")
	f.StringArrayVar(&v.cfg.Modules, "module", nil, "load `NAME` too (repeatable)")
	f.StringVar(&v.cfg.Append, "append", "", "more kernel parameters")
	f.StringVar(&v.disk, "disk", "2G", "`SIZE` of the disk, or the path of an ext4 image, which is not changed")
	f.BoolVar(&v.cfg.WriteImage, "write-disk", false, "let the guest change the image of --disk")
	f.StringVar(&v.mkfs, "mkfs", "", "`OPTS` for mkfs.ext4, such as \"-b 1024 -O ^extents,^64bit\"")
	for _, name := range []string{"append", "mkfs"} { // options of others, of which there may be none
		_ = f.SetAnnotation(name, meansNone, nil) // the flag is there
	}
	f.DurationVar(&v.cfg.Latency, "latency", 0, "make every request to the disk take that much longer, such as 5ms")
	f.StringVar(&v.nullBlk, "null-blk", "", "put the file system on a memory-backed disk of `SIZE` instead")
	f.StringVar(&v.cfg.Share, "share", "", "`DIR` is seen read-only at /share")
	f.StringVar(&v.cfg.Out, "out", "", "what the guest wrote to /out, where the command begins, comes back into `DIR`")
	f.StringArrayVar(&v.cfg.Programs, "bin", nil, "copy `PROGRAM` and its libraries into the guest (repeatable)")
	f.IntVar(&v.cfg.CPUs, "smp", 2, "number of CPUs")
	f.StringVar(&v.mem, "mem", "1G", "`SIZE` of the memory")
	f.DurationVar(&v.cfg.Timeout, "timeout", 0, "end after this time (default 10m, and none on a terminal)")
	f.BoolVar(&v.cfg.NoKVM, "no-kvm", false, "always use software emulation")
	f.BoolVar(&v.cfg.CountTime, "count-instructions", false, "the guest's clock counts its instructions, one a nanosecond, whatever else the host does (always software emulation)")
	f.BoolVar(&v.cfg.HostThreads, "host-threads", false, "under software emulation: one host thread for each CPU, for measurements (faster; the kernel now and then panics while probes are attached)")
	f.StringVar(&v.console, "console", "", "write the guest's console to `FILE`")
	return cmd
}

// runAny runs one kernel, or several of a matrix.
func (v *vmFlags) runAny(cmd *cobra.Command, args []string) (int, error) {
	if !cmd.Flags().Changed("matrix") {
		return v.run(cmd.Context())
	}
	m, err := newMatrix(v, cmd.Flags(), args)
	if err != nil {
		return 0, err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return runMatrix(ctx, m, slices.Contains(args, "--json"))
}

// run reads the flags, finds the kernel and runs the guest.
func (v *vmFlags) run(ctx context.Context) (int, error) {
	if err := v.sizes(); err != nil {
		return 0, &hint.UsageError{Msg: err.Error()}
	}
	v.cfg.Mkfs = strings.Fields(v.mkfs)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGWINCH)
	defer signal.Stop(signals)
	// A reader that goes away is the subcommand's business, no reason to die.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	defer signal.Stop(pipes)

	v.resolve.Notice = func(line string) { fmt.Fprintln(os.Stderr, "ext4dio-trace:", line) }
	kernel, sig, err := v.findKernel(ctx, signals)
	if sig != 0 || err != nil {
		return sig, err
	}
	v.cfg.Kernel, v.cfg.Signals = kernel, signals
	v.connect()
	if v.console != "" {
		f, err := os.Create(v.console)
		if err != nil {
			return 0, &hint.UsageError{Msg: err.Error()}
		}
		defer f.Close()
		v.cfg.Console = f
	}
	return kernelvm.Run(ctx, v.cfg)
}

// sizes reads the flags that hold sizes.
func (v *vmFlags) sizes() error {
	for _, size := range []struct {
		flag, text string
		to         *int64
	}{{"--mem", v.mem, &v.cfg.Memory}, {"--null-blk", v.nullBlk, &v.cfg.NullBlk}} {
		if size.text == "" {
			continue
		}
		n, err := kernelvm.ParseSize(size.text)
		if err != nil {
			return fmt.Errorf("%s: %w", size.flag, err)
		}
		*size.to = n
	}
	n, err := kernelvm.ParseSize(v.disk)
	if err == nil {
		v.cfg.Disk = n
		return nil
	}
	if _, statErr := os.Stat(v.disk); statErr == nil {
		v.cfg.Image = v.disk
		return nil
	}
	return fmt.Errorf("--disk: %w, and no image either", err)
}

// findKernel resolves the kernel, which may take a download. A signal ends it:
// 128 + its number is returned then.
func (v *vmFlags) findKernel(ctx context.Context, signals <-chan os.Signal) (kernelvm.Kernel, int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type found struct {
		kernel kernelvm.Kernel
		err    error
	}
	done := make(chan found, 1)
	go func() {
		k, err := kernelvm.Resolve(ctx, v.kernel, v.resolve)
		done <- found{k, err}
	}()
	for {
		select {
		case f := <-done:
			return f.kernel, 0, f.err
		case sig := <-signals:
			if s, ok := sig.(syscall.Signal); ok && s != syscall.SIGWINCH {
				cancel()
				<-done
				return kernelvm.Kernel{}, 128 + int(s), nil
			}
		}
	}
}

// connect gives the guest this process's terminal or streams.
func (v *vmFlags) connect() {
	v.cfg.Stdout, v.cfg.Stderr = os.Stdout, os.Stderr
	in, out := term.IsTerminal(int(os.Stdin.Fd())), term.IsTerminal(int(os.Stdout.Fd()))
	switch {
	case in && out:
		v.cfg.Terminal = os.Stdin
		v.cfg.TerminalStderr = term.IsTerminal(int(os.Stderr.Fd()))
		if v.cfg.Timeout == 0 {
			v.cfg.Timeout = -1
		}
	case !in:
		v.cfg.Stdin = os.Stdin
	}
	for _, name := range []string{"TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			v.cfg.Env = append(v.cfg.Env, name+"="+value)
		}
	}
	v.cfg.NoMount = namesDevice(v.cfg.Args)
	v.cfg.Programs = append(v.cfg.Programs, neededPrograms(v.cfg.Args)...)
	if len(v.cfg.Args) > 0 && v.cfg.Args[0] == "validate" {
		v.cfg.MayLoad = []string{"xts", "cts", "sha512_generic"} // of encrypted files
	}
}

// neededPrograms names the programs that a subcommand runs besides its own: those
// that make and check file systems. The guest says when they are not there.
func neededPrograms(args []string) []string {
	if len(args) == 0 || args[0] != "validate" && args[0] != "bench" {
		return nil
	}
	var found []string
	for _, name := range []string{"mkfs.ext4", "e2fsck", "tune2fs"} {
		for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
			if _, err := os.Stat(dir + name); err == nil {
				found = append(found, dir+name)
				break
			}
		}
	}
	return found
}

// namesDevice tells whether a subcommand wants the disk for itself.
func namesDevice(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.ContainsFunc(args, func(a string) bool { return a == "--device" || strings.HasPrefix(a, "--device=") })
}

// vmError turns the end of a run into an error for report. The end of the
// guest's console goes before its message.
func vmError(stderr io.Writer, code int, err error) error {
	var unfit *hint.UnfitError
	if errors.As(err, &unfit) && unfit.Console != "" {
		fmt.Fprintf(stderr, "--- the end of the guest's console ---\n%s\n--------------------------------------\n", unfit.Console)
	}
	switch {
	case err == nil && code != 0:
		return &exit.Error{Code: code}
	case code == exit.Disagree:
		return foremost(err, &exit.Error{Code: code})
	}
	return err
}

// newMatrix reads the flags of vm. Those of the subcommand say whether JSON is wanted.
func newMatrix(v *vmFlags, fl *pflag.FlagSet, args []string) (*matrix.Matrix, error) {
	m := &matrix.Matrix{Kernels: strings.Split(v.matrix, ","), Jobs: cmp.Or(v.jobs, runtime.NumCPU()), Args: args, Log: os.Stderr}
	switch {
	case fl.Changed("kernel"):
		return nil, &hint.UsageError{Msg: "--kernel and --matrix exclude each other"}
	case len(args) == 0 || args[0] != "validate":
		return nil, &hint.UsageError{Msg: "--matrix makes a table of validate, and of nothing else", Hint: "vm --matrix " + v.matrix + " -- validate --device /dev/sda --destroy-data --yes"}
	case slices.Contains(m.Kernels, ""):
		return nil, &hint.UsageError{Msg: "--matrix: an empty name among the kernels"}
	case m.Jobs < 0:
		return nil, &hint.UsageError{Msg: "--jobs must not be negative"}
	}
	if !slices.Contains(args, "--json") {
		m.Args = append(slices.Clone(args), "--json")
	}
	fl.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "matrix", "jobs":
		case "out":
			m.OutDir = f.Value.String()
		default:
			m.Flags = append(m.Flags, typed(f)...)
		}
	})
	return m, nil
}

// typed is a flag as it would be typed.
func typed(f *pflag.Flag) []string {
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return []string{"--" + f.Name + "=" + f.Value.String()}
	}
	var out []string
	for _, value := range list.GetSlice() {
		out = append(out, "--"+f.Name+"="+value)
	}
	return out
}

// runMatrix carries out all kernels, shows what came out, and returns the exit status: the
// worst of theirs.
func runMatrix(ctx context.Context, m *matrix.Matrix, asJSON bool) (int, error) {
	var err error
	if m.Self, err = os.Executable(); err != nil {
		return 0, fmt.Errorf("find this program: %w", err)
	}
	runs := m.Run(ctx)
	if asJSON {
		err = writeJSON(os.Stdout, runs)
	} else {
		err = matrix.WriteText(os.Stdout, runs)
	}
	return matrix.Worst(runs), err
}

// newExecCmd makes the command that becomes another program: in a guest the
// only way to run something that is not traced.
func newExecCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "exec -- PROGRAM [ARGUMENT…]",
		Short:   "run another program, for use behind vm",
		Example: `  ext4dio-trace vm --share ./tests -- exec -- sh /share/all.sh`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &exit.Error{Code: exit.Usage, Msg: "no program given", Hint: "ext4dio-trace exec -- PROGRAM"}
			}
			path, err := exec.LookPath(args[0])
			if err != nil {
				return &exit.Error{Code: exit.Usage, Msg: fmt.Sprintf("find program: %v", err), Hint: "give its full path; vm copies what stands behind the second --"}
			}
			return fmt.Errorf("exec %s: %w", path, unix.Exec(path, args, os.Environ()))
		},
	}
}
