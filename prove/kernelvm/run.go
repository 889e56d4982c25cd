package kernelvm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ext4dio/ext4dio-trace/export/safe"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/internal/program"
)

const (
	// kvmPatience is how long a machine with KVM may take to its first sign of
	// life, which takes a second or two where KVM works.
	kvmPatience = 15 * time.Second
	// bootPatience is the same without KVM.
	bootPatience = 3 * time.Minute
	// beatPatience is how long a guest may show no sign of life once it did.
	beatPatience = 60 * time.Second
	// stopPatience is how long a guest may take to end when told to.
	stopPatience = 15 * time.Second
	// mostOut bounds what comes back of /out, in sizes of the guest's memory, in which it
	// lies there; what is sparse there is not so here.
	mostOut = 16
	// consoleLines is how much of the console an error shows.
	consoleLines = 40
)

// leaveFullScreen ends what a full-screen program may have set: the alternate
// screen, a hidden cursor, mouse reports, bracketed paste, colours.
const leaveFullScreen = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m"

// errNoKVM says that a machine with KVM showed no sign of life.
var errNoKVM = errors.New("KVM does not work here")

// Run boots cfg.Kernel, runs the command in it and returns the command's exit
// status, which is 128 + N when signal N ended the command or the run.
//
// The error is a *hint.UsageError when cfg makes no sense, and an *hint.UnfitError when
// this machine or the kernel cannot do it: no QEMU, a panic, a hang, a timeout.
// It is ctx's error when ctx ended the run. With an error the status is that of a command
// that came to its end all the same, else 0. No process or file is left behind.
func Run(ctx context.Context, cfg Config) (int, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return 0, err
	}
	prog, err := program.Find("qemu-system-x86_64")
	if err != nil {
		return 0, unfitf("apt-get install qemu-system-x86", "qemu-system-x86_64 is not there: %w", err)
	}
	if err := checkBzImage(cfg.Kernel.Image); err != nil {
		return 0, err
	}
	var p parts
	defer p.close()
	if err := prepareParts(&cfg, &p); err != nil {
		return 0, err
	}
	var deadline <-chan time.Time
	if cfg.Timeout > 0 {
		deadline = time.After(cfg.Timeout)
	}
	if !cfg.NoKVM && !cfg.CountTime && kvmUsable() && !kvmHangs() {
		code, err := runOnce(ctx, &cfg, prog, true, p, deadline)
		if !errors.Is(err, errNoKVM) {
			return code, err
		}
	}
	return runOnce(ctx, &cfg, prog, false, p, deadline)
}

// terminalSize is the size of a terminal, zero when it has none.
func terminalSize(f *os.File) unix.Winsize {
	cols, rows, _ := term.GetSize(int(f.Fd()))
	return unix.Winsize{Row: uint16(rows), Col: uint16(cols)}
}

// run is one attempt.
type run struct {
	cfg   *Config
	q     *qemu
	link  *link
	kvm   bool
	ctl   ringWriter
	hello chan struct{} // closed when the guest has said hello
	ended chan ending   // one value: how the frames ended
	stop  chan struct{} // closed when the run is over
	out   *extraction

	ctlMu sync.Mutex // held while a frame goes into ctl
}

// ending is how the stream of frames ended.
type ending struct {
	code int
	err  error // errGone or a failure that the guest told
}

// runOnce boots the machine with or without KVM.
func runOnce(ctx context.Context, cfg *Config, prog string, kvm bool, p parts, deadline <-chan time.Time) (int, error) {
	shared, err := memoryFile("ext4dio-link")
	if err != nil {
		return 0, err
	}
	defer shared.Close()
	if err := shared.Truncate(linkSize); err != nil {
		return 0, unfitf("", "make shared memory: %w", err)
	}
	mem, err := unix.Mmap(int(shared.Fd()), 0, linkSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return 0, unfitf("", "map shared memory: %w", err)
	}
	p.link = p.add(shared)
	r := &run{
		cfg: cfg, kvm: kvm, link: newLink(mem),
		hello: make(chan struct{}), ended: make(chan ending, 1), stop: make(chan struct{}),
	}
	if r.q, err = startQEMU(prog, cfg, kvm, p); err != nil {
		_ = unix.Munmap(mem)
		return 0, err
	}
	r.ctl = ringWriter{ring: r.link.ctl, bell: r.q.bell}
	go r.q.bell.tick(r.stop)
	var frames sync.WaitGroup
	frames.Go(r.readFrames)
	code, err := r.watch(ctx, deadline)
	close(r.stop)
	r.q.stop()
	drain(shared, &frames)
	if err != nil && cfg.Terminal != nil && r.saidHello() {
		// The command had no chance to give the screen back.
		_, _ = io.WriteString(cfg.Stdout, leaveFullScreen)
	}
	return code, err
}

// drain waits until all that the guest has sent is passed on, and gives the shared
// memory's pages back. It stays mapped: who waits for the user's input may yet write
// there. An output that blocks for ever keeps the pages: the caller is about to exit
// anyway.
func drain(shared *os.File, frames *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { frames.Wait(); close(done) }()
	select {
	case <-done:
		_ = unix.Fallocate(int(shared.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, linkSize)
	case <-time.After(2 * time.Second):
	}
}

// watch waits for the end of the run and looks after the user meanwhile.
func (r *run) watch(ctx context.Context, deadline <-chan time.Time) (int, error) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var grace <-chan time.Time
	boot := time.After(bootPatience)
	if r.kvm {
		boot = time.After(kvmPatience)
	}
	hello, beat := r.hello, watchdog{seen: time.Now()}
	var cause error // why the guest was told to stop
	code := 0       // what to return when it does not
	restore := func() {}
	defer func() { restore() }()
	for {
		select {
		case <-hello:
			hello, boot = nil, nil
			restore = r.takeTerminal()
			go r.feed()
		case <-boot:
			if r.kvm {
				noteKVMHangs()
				return 0, errNoKVM
			}
			return 0, r.unfit(exit.NotBooted, fmt.Sprintf("the guest did not boot within %v", bootPatience), "is this kernel made for virtual machines?")
		case end := <-r.ended:
			return r.judge(end, cause)
		case <-ctx.Done():
			return 0, ctx.Err()
		case sig := <-r.cfg.Signals:
			num, ends := r.signal(sig)
			if num == 0 {
				continue
			}
			if hello != nil {
				return 128 + num, nil
			}
			if ends && grace == nil {
				code, grace = 128+num, time.After(stopPatience)
			}
		case <-deadline:
			cause, code = r.timeoutError(""), 0
			if hello != nil {
				return 0, r.timeoutError(r.q.console.Excerpt(consoleLines))
			}
			r.tell(frameStop, nil)
			grace = time.After(stopPatience)
		case <-grace:
			if cause != nil {
				cause = r.timeoutError(r.q.console.Excerpt(consoleLines))
			}
			return code, cause
		case now := <-second.C:
			if hello == nil && beat.silent(now, r.link.beat.Load()) > beatPatience {
				return 0, r.unfit(exit.Hung, "the guest hangs", "look at the end of the console; --append can add kernel parameters")
			}
		}
	}
}

// signal passes a signal on to the guest. It returns its number, 0 for none to
// speak of, and whether the command must end because of it.
func (r *run) signal(sig os.Signal) (num int, ends bool) {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return 0, false
	}
	if s == syscall.SIGWINCH {
		r.tellSize()
		return 0, false
	}
	r.tell(frameSignal, []byte{byte(s)})
	return int(s), s == syscall.SIGTERM || s == syscall.SIGHUP
}

// watchdog notices when a counter stands still.
type watchdog struct {
	count uint64
	seen  time.Time
}

// silent tells for how long the counter has stood still.
func (w *watchdog) silent(now time.Time, count uint64) time.Duration {
	if count != w.count {
		w.count, w.seen = count, now
	}
	return now.Sub(w.seen)
}

// tellSize tells the guest the size of the terminal, where there is one.
func (r *run) tellSize() {
	if r.cfg.Terminal == nil {
		return
	}
	raw, _ := json.Marshal(terminalSize(r.cfg.Terminal)) // numbers
	r.tell(frameSize, raw)
}

// tell sends a short frame to the guest unless that hears nothing any more.
func (r *run) tell(kind frameKind, payload []byte) {
	r.ctlMu.Lock()
	defer r.ctlMu.Unlock()
	_ = r.ctl.Offer(frame(kind, payload))
}

// takeTerminal gives the user's terminal to the guest and returns how to take
// it back.
func (r *run) takeTerminal() func() {
	if r.cfg.Terminal == nil {
		return func() {}
	}
	fd := int(r.cfg.Terminal.Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return func() {}
	}
	r.tellSize()
	return func() { _ = term.Restore(fd, old) }
}

// feed copies the user's input into the ring.
func (r *run) feed() {
	src := r.cfg.Stdin
	if r.cfg.Terminal != nil {
		src = r.cfg.Terminal
	}
	w := &ringWriter{ring: r.link.in, bell: r.q.bell}
	if src != nil {
		_, _ = io.Copy(w, src)
	}
	_ = w.Close()
}

// readFrames carries out what the guest sends, until the last frame.
func (r *run) readFrames() {
	frames := &frameReader{r: &ringReader{ring: r.link.up, bell: r.q.bell}}
	var end *ending
	for end == nil {
		kind, payload, err := frames.next()
		if err != nil {
			end = &ending{err: err}
		} else {
			end = r.carryOut(kind, payload)
		}
	}
	if r.out != nil {
		// What else went wrong is why the archive breaks off.
		end.err = cmp.Or(end.err, r.out.Close())
	}
	r.ended <- *end
}

// carryOut does what a frame says. It returns how the stream ends with it, nil when it goes on.
func (r *run) carryOut(kind frameKind, payload []byte) *ending {
	switch {
	case kind == frameHello && !r.saidHello():
		close(r.hello)
	case kind == frameStdout:
		r.output(r.cfg.Stdout, 1, payload)
	case kind == frameStderr:
		r.output(r.cfg.Stderr, 2, payload)
	case kind == frameOut && r.cfg.Out != "":
		if r.out == nil {
			r.out = extractTo(r.cfg.Out, mostOut*r.cfg.Memory)
		}
		_, _ = r.out.Write(payload)
	case kind == frameFail:
		var f failMsg
		_ = json.Unmarshal(payload, &f)
		msg := cmp.Or(safe.Message(f.Msg), "the guest could not be set up, and did not say why")
		return &ending{err: &hint.UnfitError{Msg: msg, Hint: safe.Message(f.Hint)}}
	case kind == frameExit && len(payload) == 1:
		return &ending{code: int(payload[0])}
	default:
		return &ending{err: fmt.Errorf("the guest sent what makes no sense: %d bytes of kind %q", len(payload), byte(kind))}
	}
	return nil
}

// output passes on what the command wrote. A broken output is broken for the
// command too.
func (r *run) output(w io.Writer, n byte, p []byte) {
	if _, err := w.Write(p); err != nil {
		r.tell(frameBroken, []byte{n})
	}
}

// saidHello tells whether the guest came up.
func (r *run) saidHello() bool {
	select {
	case <-r.hello:
		return true
	default:
		return false
	}
}

// judge words the end of the run. The status of a command that came to its end is returned
// with an error, too.
func (r *run) judge(end ending, cause error) (int, error) {
	if cause != nil {
		return end.code, cause
	}
	if end.err == nil {
		if end.code != 0 && tempFull() {
			return end.code, unfitf("", "the guest's disk could not be written: %w", syscall.ENOSPC)
		}
		return end.code, nil
	}
	if worded(end.err) {
		return end.code, end.err
	}
	if !errors.Is(end.err, errGone) && !errors.Is(end.err, io.ErrUnexpectedEOF) {
		return 0, r.unfit(0, end.err.Error(), "")
	}
	if r.kvm && !r.saidHello() {
		return 0, errNoKVM
	}
	if why := r.q.complaint(); why != "" && !r.saidHello() {
		return 0, unfitf("", "QEMU: %s", why)
	}
	status := exit.NotBooted
	if r.saidHello() {
		status = exit.Panicked
	}
	if why := r.q.console.Trouble(); why != "" {
		return 0, r.unfit(status, "the guest's kernel panicked: "+why, "--console FILE keeps all that it said")
	}
	return 0, r.unfit(status, "the guest ended without an exit status", "--console FILE keeps all that it said")
}

// timeoutError says that time is up. The console only tells something when the
// guest did not even stop.
func (r *run) timeoutError(console string) error {
	msg := fmt.Sprintf("the guest did not end within %v (timeout)", r.cfg.Timeout)
	status := exit.NotBooted
	if r.saidHello() {
		status = exit.Hung
	}
	return &hint.UnfitError{Msg: msg, Hint: "give it more with --timeout", Console: console, Status: status}
}

// unfit makes an error that shows the console; status 0 is that of any other UnfitError.
func (r *run) unfit(status int, msg, advice string) error {
	return &hint.UnfitError{Msg: msg, Hint: advice, Console: r.q.console.Excerpt(consoleLines), Status: status}
}
