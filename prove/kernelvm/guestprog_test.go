package kernelvm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is three programs: the tests, the guest's init, and the guest's
// command.
func TestMain(m *testing.M) {
	if IsGuestInit() {
		GuestMain()
	}
	if prog, ok := guestPrograms[os.Getenv("KERNELVM_PROGRAM")]; ok {
		os.Exit(prog(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// guestPrograms are what the tests run in the guest, and one on the host.
var guestPrograms = map[string]func(args []string) int{
	"streams":  guestStreams,
	"big":      guestBig,
	"wait":     guestWait,
	"stubborn": guestStubborn,
	"panic":    guestPanic,
	"mounts":   guestMounts,
	"exec":     guestExec,

	"frozen":    guestFrozen,
	"namespace": guestNamespace,
	"pid":       guestPid,
	"host":      hostRun,
}

// guestStreams checks what a command finds and writes to all it can write to.
func guestStreams(args []string) int {
	in, err := io.ReadAll(os.Stdin)
	shared, shareErr := os.ReadFile("/share/sub/link")
	readOnly := os.WriteFile("/share/new", nil, 0o644)
	err = errors.Join(err, shareErr,
		os.WriteFile("/mnt/file", in, 0o644),
		os.MkdirAll("/out/dir", 0o755),
		os.WriteFile("/out/dir/file", shared, 0o644),
		os.Symlink("dir/file", "/out/link"),
		unix.Mkfifo("/out/fifo", 0o644))
	fmt.Printf("stdin %q share %q args %q env %q term %v\r\n", in, shared, args, os.Getenv("TERM"), isTerminal(1))
	fmt.Fprintf(os.Stderr, "err %v read-only %v\n", err, errors.Is(readOnly, unix.EROFS))
	return 7
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// bigSize is more than all buffers on the way together.
const bigSize = 40 << 20

// guestBig writes a lot.
func guestBig([]string) int {
	block := make([]byte, 1<<20)
	for n := range block {
		block[n] = byte(n * 7 >> 3)
	}
	for range bigSize / len(block) {
		if _, err := os.Stdout.Write(block); err != nil {
			return 1
		}
	}
	return 0
}

// guestWait says when it is ready and tells the signals that it gets.
func guestWait([]string) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGWINCH)
	size := func() {
		if ws, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
			fmt.Printf("size %dx%d\n", ws.Col, ws.Row)
		}
	}
	fmt.Println("ready")
	for sig := range signals {
		if sig == unix.SIGWINCH {
			size()
			continue
		}
		fmt.Println(sig)
		break
	}
	return 9
}

// guestStubborn writes something to /out and does not end when asked to.
func guestStubborn([]string) int {
	signal.Ignore(unix.SIGTERM)
	if os.WriteFile("/out/partial", []byte("saved"), 0o644) != nil {
		return 1
	}
	fmt.Println("ready")
	for {
		// An empty select would be a deadlock to the Go runtime, and an end.
		_ = unix.Pause()
	}
}

// guestPanic makes the kernel panic.
func guestPanic([]string) int {
	fmt.Println("ready")
	if err := os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0); err != nil {
		fmt.Println(err)
		return 99
	}
	return 0
}

// guestMounts prints what is mounted on /mnt and how many milliseconds a direct
// write takes there.
func guestMounts([]string) int {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return 1
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); f[1] == "/mnt" {
			fmt.Println(f[0], f[2])
		}
	}
	f, err := os.OpenFile("/mnt/direct", os.O_CREATE|os.O_WRONLY|unix.O_DIRECT, 0o644)
	if err != nil {
		return 2
	}
	defer f.Close()
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 3
	}
	var before, after unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &before)
	if _, err := f.Write(page); err != nil {
		return 4
	}
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &after)
	fmt.Println((after.Nano() - before.Nano()) / 1e6)
	return 0
}

// guestFrozen leaves a process behind that no signal ends, as it waits for a file system that
// is frozen, and that holds the output open.
func guestFrozen(args []string) int {
	if args[0] == "write" {
		fmt.Println(os.WriteFile("/mnt/file", nil, 0o644))
		return 0
	}
	dir, err := os.Open("/mnt")
	if err == nil {
		err = unix.IoctlSetInt(int(dir.Fd()), fifreeze, 0)
	}
	cmd := exec.Command("/proc/self/exe", "write")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for { // which of its threads writes is not known
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", cmd.Process.Pid))
		for _, task := range tasks {
			stat, _ := os.ReadFile(task)
			if _, state, ok := strings.Cut(string(stat), ") "); ok && state[0] == 'D' {
				return 7
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// fifreeze is FIFREEZE of linux/fs.h: _IOWR('X', 119, int).
const fifreeze = 0xc0045877

// guestNamespace runs this program as the first process of a PID namespace.
func guestNamespace([]string) int {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "KERNELVM_PROGRAM=pid")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// guestPid prints its number.
func guestPid([]string) int {
	fmt.Println("pid", os.Getpid())
	return 0
}

// guestExec runs a program that was copied into the guest.
func guestExec(args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Println(err)
		return 98
	}
	return 0
}

// hostRun runs a guest that waits, in a process of its own that can be killed.
func hostRun(args []string) int {
	_, err := runGuest(args[0], "wait", func(c *Config) { c.Stdout = os.Stdout })
	fmt.Println(err)
	return int(syscall.SIGKILL)
}
