package kernelvm

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// qemu is one running machine.
type qemu struct {
	bell     *bell // the host's
	cmd      *exec.Cmd
	bellFile *os.File
	console  *console      // the kernel's console
	stderr   *console      // what QEMU itself says
	exited   chan struct{} // closed when the process has gone
	once     sync.Once
}

// kernelParameters are given to every kernel; later ones win.
func kernelParameters(cfg *Config) string {
	p := "console=ttyS0 quiet panic=-1 oops=panic mitigations=off random.trust_cpu=on " +
		"scsi_mod.scan=manual no_timer_check tsc=reliable"
	if cfg.NullBlk > 0 {
		p += nullBlkParameters(cfg)
	}
	if cfg.Append != "" {
		p += " " + cfg.Append
	}
	return p
}

// nullBlkParameters set up one disk that keeps its data, and with a latency
// completes by a timer (Documentation/block/null_blk.rst).
func nullBlkParameters(cfg *Config) string {
	irq := "irqmode=0"
	if cfg.Latency > 0 {
		irq = fmt.Sprintf("irqmode=2 null_blk.completion_nsec=%d", cfg.Latency.Nanoseconds())
	}
	return fmt.Sprintf(" null_blk.nr_devices=1 null_blk.memory_backed=1 null_blk.bs=512 null_blk.queue_mode=2 "+
		"null_blk.submit_queues=%d null_blk.gb=%d null_blk.%s", cfg.CPUs, (cfg.NullBlk+1<<30-1)>>30, irq)
}

// qemuArgs is QEMU's command line, where files holds the extra files' numbers.
func qemuArgs(cfg *Config, kvm bool, p *parts) []string {
	// One host thread for all CPUs: with several, a CPU now and then runs into
	// the breakpoint that the kernel puts into code which it rewrites (static
	// calls of tracepoints) after the kernel has taken it out again, and panics.
	accel, cpu := "tcg,thread=single", "max,la57=off"
	if cfg.HostThreads {
		accel = "tcg,thread=multi"
	}
	if kvm {
		accel, cpu = "kvm", "max"
	}
	args := []string{
		"-machine", "q35", "-accel", accel, "-cpu", cpu,
		"-smp", fmt.Sprint(cfg.CPUs), "-m", fmt.Sprintf("%dK", cfg.Memory>>10),
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", cmp.Or(cfg.Kernel.Vmlinux, cfg.Kernel.Image), "-initrd", childPath(p.initrd), "-append", kernelParameters(cfg),
		"-serial", "stdio",
		"-chardev", fmt.Sprintf("socket,id=bell,fd=%d", p.bell), "-serial", "chardev:bell",
		"-object", fmt.Sprintf("memory-backend-file,id=link,share=on,size=%d,mem-path=%s", linkSize, childPath(p.link)),
		"-device", "ivshmem-plain,memdev=link",
		"-device", "virtio-scsi-pci,id=scsi",
	}
	if cfg.CountTime {
		args = append(args, "-icount", "shift=0,sleep=off")
	}
	// What is written to the user's own image goes to a temporary overlay, unless
	// it is meant to stay.
	mode := "read-only=off"
	if cfg.Image != "" && !cfg.WriteImage {
		mode = "snapshot=on"
	}
	args = append(args, scsiDisk(0, childPath(p.disk), mode)...)
	if p.share != 0 {
		args = append(args, scsiDisk(1, childPath(p.share), "read-only=on")...)
	}
	return args
}

// scsiDisk gives the options for a rotating SCSI disk. What the guest sees does
// not depend on the host's cache, which only saves time on a throw-away disk.
func scsiDisk(lun int, path, mode string) []string {
	return []string{
		"-drive", fmt.Sprintf("if=none,id=disk%d,format=raw,cache=unsafe,discard=unmap,werror=report,rerror=report,%s,file=%s", lun, mode, path),
		"-device", fmt.Sprintf("scsi-hd,bus=scsi.0,channel=0,scsi-id=0,lun=%d,drive=disk%d,rotation_rate=7200", lun, lun),
	}
}

// parts are the files of a machine, which QEMU inherits, and the numbers that they have
// there; 0 for none.
type parts struct {
	all                             []*os.File
	initrd, link, bell, disk, share int
}

// add returns the number that f will have. Copies of p made before do not get it.
func (p *parts) add(f *os.File) int {
	p.all = append(slices.Clip(p.all), f)
	return firstExtra + len(p.all) - 1
}

// close gives the files back.
func (p *parts) close() {
	for _, f := range p.all {
		f.Close()
	}
}

// startQEMU starts the machine.
func startQEMU(prog string, cfg *Config, kvm bool, p parts) (*qemu, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, unfitf("", "make a socket pair: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "bell")
	defer theirs.Close()
	p.bell = p.add(theirs)
	q := &qemu{
		bellFile: os.NewFile(uintptr(pair[0]), "bell"),
		console:  &console{}, stderr: &console{}, exited: make(chan struct{}),
	}
	q.bell = newBell(q.ring)
	q.cmd = exec.Command(prog, qemuArgs(cfg, kvm, &p)...)
	q.cmd.Stdout, q.cmd.Stderr = q.console, q.stderr
	if cfg.Console != nil {
		q.cmd.Stdout = io.MultiWriter(q.console, &careless{cfg.Console})
	}
	q.cmd.ExtraFiles = p.all
	q.cmd.SysProcAttr = program.OwnGroup()
	started := make(chan error, 1)
	go func() {
		// The death signal is tied to the thread that started the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := q.cmd.Start()
		if err == nil {
			// QEMU aborts where KVM is broken, which is no reason for a core file.
			_ = unix.Prlimit(q.cmd.Process.Pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
		}
		started <- err
		if err == nil {
			_ = q.cmd.Wait()
			q.bell.kill(errGone)
			close(q.exited)
		}
	}()
	if err := <-started; err != nil {
		q.bellFile.Close()
		return nil, unfitf("", "start %s: %w", prog, err)
	}
	go q.bell.listen(q.bellFile)
	return q, nil
}

// careless writes as long as it can. A file that is full must not stop the guest, which waits
// for its console.
type careless struct{ io.Writer }

// Write never fails.
func (w *careless) Write(p []byte) (int, error) {
	if w.Writer != nil {
		if _, err := w.Writer.Write(p); err != nil {
			w.Writer = nil
		}
	}
	return len(p), nil
}

// errGone is what waits on a bell return when QEMU has gone.
var errGone = errors.New("the machine has ended")

// ring wakes the guest. A full socket is fine: the guest has rings to read then.
func (q *qemu) ring() {
	raw, err := q.bellFile.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.Sendto(int(fd), []byte{1}, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, nil)
	})
}

// stop kills the machine and waits for its end.
func (q *qemu) stop() {
	q.once.Do(func() {
		_ = q.cmd.Process.Kill()
		<-q.exited
		q.bellFile.Close()
	})
}

// complaint is the last line that QEMU said.
func (q *qemu) complaint() string {
	return strings.TrimPrefix(q.stderr.Excerpt(1), "qemu-system-x86_64: ")
}
