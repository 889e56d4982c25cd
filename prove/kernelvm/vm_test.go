package kernelvm

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// testKernel is the kernel that the tests of the machine itself use, from
// EXT4DIO_TEST_VM: 1 for the default kernel, or what --kernel takes.
func testKernel(t *testing.T) string {
	t.Helper()
	spec := os.Getenv("EXT4DIO_TEST_VM")
	if spec == "" {
		t.Skip("boots a virtual machine: set EXT4DIO_TEST_VM to 1 or to a kernel")
	}
	if spec == "1" {
		spec = DefaultKernel
	}
	t.Parallel()
	return spec
}

// runGuest runs one of guestPrograms.
func runGuest(spec, prog string, change func(*Config)) (int, error) {
	kernel, err := Resolve(context.Background(), spec, ResolveOptions{})
	if err != nil {
		return 0, err
	}
	cfg := Config{Kernel: kernel, Args: []string{"arg"}, Env: []string{"KERNELVM_PROGRAM=" + prog}, Timeout: 3 * time.Minute}
	change(&cfg)
	return Run(context.Background(), cfg)
}

func TestVMStreamsFoldersAndStatus(t *testing.T) {
	spec := testKernel(t)
	share, out := t.TempDir(), filepath.Join(t.TempDir(), "new", "out")
	write(t, share, "sub/target", "shared")
	if err := os.Symlink("target", filepath.Join(share, "sub/link")); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code, err := runGuest(spec, "streams", func(c *Config) {
		c.Args = []string{"--flag", "two words"}
		c.Env = append(c.Env, "TERM=xterm-test")
		c.Stdin, c.Stdout, c.Stderr = strings.NewReader("line\nend"), &stdout, &stderr
		c.Share, c.Out = share, out
		c.Mkfs = []string{"-b", "1024"}
	})
	if code != 7 || err != nil {
		t.Errorf("got status %d, %v", code, err)
	}
	want := `stdin "line\nend" share "shared" args ["--flag" "two words"] env "xterm-test" term false` + "\r\n"
	if stdout.String() != want {
		t.Errorf("standard output: %q", stdout.String())
	}
	if stderr.String() != "err <nil> read-only true\n" {
		t.Errorf("standard error: %q", stderr.String())
	}
	if read(t, filepath.Join(out, "link")) != "shared" {
		t.Error("/out did not come back")
	}
}

// patternWriter compares what it gets with what guestBig writes.
type patternWriter struct{ n, wrong int }

func (w *patternWriter) Write(p []byte) (int, error) {
	for _, b := range p {
		if b != byte((w.n%(1<<20))*7>>3) {
			w.wrong++
		}
		w.n++
	}
	return len(p), nil
}

func TestVMBigOutput(t *testing.T) {
	spec := testKernel(t)
	w := &patternWriter{}
	code, err := runGuest(spec, "big", func(c *Config) { c.Stdout = w })
	if code != 0 || err != nil || w.n != bigSize || w.wrong != 0 {
		t.Errorf("got status %d, %v, %d bytes, %d wrong", code, err, w.n, w.wrong)
	}
}

// The first process of a PID namespace in the guest is not the guest's init.
func TestVMFirstProcessOfANamespace(t *testing.T) {
	spec := testKernel(t)
	var stdout bytes.Buffer
	code, err := runGuest(spec, "namespace", func(c *Config) { c.Stdout = &stdout })
	if code != 0 || err != nil || stdout.String() != "pid 1\n" {
		t.Errorf("got status %d, %v, %q", code, err, stdout.String())
	}
}

// What cannot be killed does not keep the guest from its end.
func TestVMLeftBehind(t *testing.T) {
	spec := testKernel(t)
	var stderr bytes.Buffer
	code, err := runGuest(spec, "frozen", func(c *Config) { c.Stderr = &stderr })
	if code != 7 || err != nil || !strings.Contains(stderr.String(), "cannot be killed") {
		t.Errorf("got status %d, %v, %q", code, err, stderr.String())
	}
}

// brokenWriter is an output whose reader goes away.
type brokenWriter struct{ n int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.n += len(p); w.n > 1<<20 {
		return 0, syscall.EPIPE
	}
	return len(p), nil
}

func TestVMBrokenOutputReachesTheCommand(t *testing.T) {
	spec := testKernel(t)
	code, err := runGuest(spec, "big", func(c *Config) { c.Stdout = &brokenWriter{} })
	if code != 128+int(syscall.SIGPIPE) || err != nil {
		t.Errorf("got status %d, %v", code, err)
	}
}

func TestVMSignals(t *testing.T) {
	spec := testKernel(t)
	r, w := io.Pipe()
	signals := make(chan os.Signal, 1)
	lines := make(chan []string)
	go func() {
		var all []string
		for s := bufio.NewScanner(r); s.Scan(); {
			all = append(all, s.Text())
			if s.Text() == "ready" {
				signals <- unix.SIGINT
			}
		}
		lines <- all
	}()
	code, err := runGuest(spec, "wait", func(c *Config) { c.Stdout, c.Signals = w, signals })
	w.Close()
	if got := strings.Join(<-lines, ","); code != 9 || err != nil || got != "ready,interrupt" {
		t.Errorf("got status %d, %v, %s", code, err, got)
	}
}

func TestVMSignalWhileBooting(t *testing.T) {
	spec := testKernel(t)
	signals := make(chan os.Signal, 1)
	signals <- unix.SIGINT
	code, err := runGuest(spec, "wait", func(c *Config) { c.Signals = signals })
	if code != 128+int(unix.SIGINT) || err != nil {
		t.Errorf("got status %d, %v", code, err)
	}
}

// openPTY makes a terminal of 91x17 cells.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: 91, Row: 17})
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

func TestVMTerminal(t *testing.T) {
	spec := testKernel(t)
	master, slave := openPTY(t)
	defer master.Close()
	defer slave.Close()
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	signals := make(chan os.Signal, 1)
	lines := make(chan string)
	go func() {
		var all []string
		for s := bufio.NewScanner(master); s.Scan(); {
			all = append(all, s.Text())
			switch strings.TrimSpace(s.Text()) {
			case "ready":
				_ = unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: 120, Row: 40})
				signals <- unix.SIGWINCH
			case "size 120x40":
				_, _ = master.Write([]byte{3}) // Ctrl-C
			case "END":
				lines <- strings.Join(all, "|")
				return
			}
		}
	}()
	code, err := runGuest(spec, "wait", func(c *Config) {
		c.Terminal, c.TerminalStderr, c.Stdout, c.Signals = slave, true, slave, signals
	})
	fmt.Fprintln(slave, "END")
	after, _ := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if *after != *before {
		t.Error("the terminal was not put back")
	}
	got := <-lines
	if code != 9 || err != nil || !strings.Contains(got, "ready") || !strings.Contains(got, "interrupt") {
		t.Errorf("got status %d, %v, %q", code, err, got)
	}
}

func TestVMPanic(t *testing.T) {
	spec := testKernel(t)
	var stdout bytes.Buffer
	code, err := runGuest(spec, "panic", func(c *Config) { c.Stdout = &stdout })
	if code == 99 {
		t.Skipf("this kernel cannot be made to panic: %s", stdout.String())
	}
	var unfit *hint.UnfitError
	if !errors.As(err, &unfit) || unfit.Msg != "the guest's kernel panicked: sysrq triggered crash" || unfit.Status != exit.Panicked ||
		!strings.Contains(unfit.Console, "Kernel panic") {
		t.Errorf("got %d, %#v", code, err)
	}
	if stdout.String() != "ready\n" {
		t.Errorf("standard output: %q", stdout.String())
	}
}

func TestVMPanicWhileBooting(t *testing.T) {
	spec := testKernel(t)
	_, err := runGuest(spec, "wait", func(c *Config) { c.Append = "rdinit=/none init=/none" })
	var unfit *hint.UnfitError
	if !errors.As(err, &unfit) || unfit.Status != exit.NotBooted || !strings.HasPrefix(unfit.Msg, "the guest's kernel panicked: ") || !strings.Contains(unfit.Console, "Kernel panic") {
		t.Errorf("got %#v", err)
	}
}

// On a busy machine the guest may not be ready in time; then it gets more of it.
func TestVMTimeoutSavesOut(t *testing.T) {
	spec := testKernel(t)
	out := t.TempDir()
	var stdout bytes.Buffer
	var err error
	timeout := 45 * time.Second
	for ; timeout < 5*time.Minute; timeout *= 2 {
		_, err = runGuest(spec, "stubborn", func(c *Config) { c.Out, c.Timeout, c.Stdout = out, timeout, &stdout })
		if stdout.Len() > 0 {
			break
		}
	}
	var unfit *hint.UnfitError
	if !errors.As(err, &unfit) || unfit.Status != exit.Hung || unfit.Msg != fmt.Sprintf("the guest did not end within %v (timeout)", timeout) {
		t.Errorf("got %#v", err)
	}
	if read(t, filepath.Join(out, "partial")) != "saved" {
		t.Error("/out did not come back")
	}
}

func TestVMDisks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
		atMS   int
	}{
		{"dm-delay", func(c *Config) { c.Latency = 50 * time.Millisecond }, "/dev/dm-0 ext4", 50},
		{"null_blk", func(c *Config) { c.NullBlk, c.Latency = 64<<20, 30*time.Millisecond }, "/dev/nullb0 ext4", 30},
		{"not mounted", func(c *Config) { c.NoMount = true }, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := testKernel(t)
			var stdout bytes.Buffer
			code, err := runGuest(spec, "mounts", func(c *Config) { c.Stdout = &stdout; tt.change(c) })
			lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
			ms, _ := strconv.Atoi(lines[len(lines)-1])
			if err != nil || ms < tt.atMS || tt.want != "" && (code != 0 || lines[0] != tt.want) ||
				tt.want == "" && strings.Contains(stdout.String(), "ext4") {
				t.Errorf("got status %d, %v, %q", code, err, stdout.String())
			}
		})
	}
}

func TestVMProgramsOfTheHost(t *testing.T) {
	spec := testKernel(t)
	prog, err := program.Find("mkfs.ext4")
	if err != nil {
		t.Skip(err)
	}
	var stdout, stderr bytes.Buffer
	code, err := runGuest(spec, "exec", func(c *Config) {
		c.Args, c.Programs, c.NoMount = []string{prog, "-q", "-F", "/dev/sda"}, []string{"mkfs.ext4"}, true
		c.Stdout, c.Stderr = &stdout, &stderr
	})
	if code != 0 || err != nil {
		t.Errorf("got status %d, %v: %s %s", code, err, stdout.String(), stderr.String())
	}
}

// Killed without a chance to clean up, we must not leave QEMU behind.
func TestVMDiesWithUs(t *testing.T) {
	spec := testKernel(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host := exec.Command(self, spec)
	host.Env = append(os.Environ(), "KERNELVM_PROGRAM=host", "TMPDIR="+t.TempDir())
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	pid := childOf(t, host.Process.Pid)
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	gone := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(gone, 10_000); n != 1 {
		t.Errorf("QEMU (process %d) is still there: %v", pid, err)
	}
	left, _ := filepath.Glob(filepath.Join(host.Env[len(host.Env)-1][len("TMPDIR="):], "*"))
	if len(left) > 0 {
		t.Errorf("files were left: %v", left)
	}
}

// childOf finds the only child of a process.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if f := strings.Fields(read(t, file)); len(f) > 0 {
			pid, err := strconv.Atoi(f[0])
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("no child")
	return 0
}
