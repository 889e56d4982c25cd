package mark

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// Folder has a socket for each program that traces: PID.sock. It belongs to root, and nobody else
// can look into it.
const Folder = "/run/ext4dio-trace"

const (
	// answerTime is how long who marks waits for an answer.
	answerTime = 10 * time.Second
	// askTime is how long who is asked waits for the rest of a line: the others wait meanwhile.
	askTime = time.Second
)

// Server takes marks from a socket.
type Server struct {
	listener *os.File
	path     string
	done     chan struct{}
}

// Listen begins to take marks in a folder, which is made when it is not there.
func Listen(folder string, take Take) (*Server, error) {
	if err := ownFolder(folder); err != nil {
		return nil, err
	}
	pid := strconv.Itoa(os.Getpid())
	s := &Server{path: filepath.Join(folder, pid+".sock"), done: make(chan struct{})}
	// It gets its name once it listens: under that one, which nobody answers is taken for one that
	// was left behind.
	begun := filepath.Join(folder, "."+pid)
	if err := os.Remove(begun); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var err error
	if s.listener, err = listenAt(begun); err != nil {
		return nil, fmt.Errorf("listen at %s: %w", begun, err)
	}
	if err := os.Rename(begun, s.path); err != nil {
		return nil, errors.Join(err, s.listener.Close(), os.Remove(begun))
	}
	go s.serve(take)
	return s, nil
}

// socket makes one. Dialling by package net would add 400 KB to the program for this.
func socket(flags int) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|flags, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}

// listenAt listens at a path that is not there yet.
func listenAt(path string) (*os.File, error) {
	f, err := socket(unix.SOCK_NONBLOCK)
	if err != nil {
		return nil, err
	}
	err = with(f, func(fd int) error {
		const waiting = 16 // who is not answered yet
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
			return err
		}
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return unix.Listen(fd, waiting)
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// with does something with the descriptor of a file.
func with(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// accept waits for who connects.
func accept(f *os.File) (*os.File, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var failed error
	err = raw.Read(func(listening uintptr) bool {
		fd, _, failed = unix.Accept4(int(listening), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return !errors.Is(failed, unix.EAGAIN) && !errors.Is(failed, unix.ECONNABORTED) && !errors.Is(failed, unix.EINTR)
	})
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "connection"), nil
}

// dial connects to who listens at a path. Either side waits for the other for a time.
func dial(path string) (*os.File, error) {
	f, err := socket(0)
	if err != nil {
		return nil, err
	}
	err = with(f, func(fd int) error {
		wait := unix.NsecToTimeval(answerTime.Nanoseconds())
		for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
			if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &wait); err != nil {
				return err
			}
		}
		return unix.Connect(fd, &unix.SockaddrUnix{Name: path})
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ownFolder makes sure of a folder that is no link and belongs to us alone.
func ownFolder(folder string) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	st, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	if owner := st.Sys().(*syscall.Stat_t).Uid; !st.IsDir() || st.Mode().Perm()&0o077 != 0 || int(owner) != os.Geteuid() {
		return fmt.Errorf("%s is not a folder that belongs to this user alone (%v, user %d)", folder, st.Mode(), owner)
	}
	return nil
}

// serve answers one after the other: each is answered at once.
func (s *Server) serve(take Take) {
	defer close(s.done)
	for {
		c, err := accept(s.listener)
		if err != nil {
			return // it was closed
		}
		_ = answer(c, take) // whoever asked has gone away
		_ = c.Close()
	}
}

func answer(c *os.File, take Take) error {
	if err := c.SetDeadline(time.Now().Add(askTime)); err != nil {
		return err
	}
	line, err := bufio.NewReaderSize(c, 512).ReadSlice('\n')
	if err != nil {
		return err
	}
	name := string(line[:len(line)-1])
	if err := Check(name); err != nil {
		_, err = fmt.Fprintf(c, "error %v\n", err)
		return err
	}
	t, err := take(name)
	if err != nil {
		_, err = fmt.Fprintf(c, "error %v\n", err)
		return err
	}
	_, err = fmt.Fprintf(c, "taken %d\n", t)
	return err
}

// Close ends it, and removes the socket. What was answered has been taken.
func (s *Server) Close() {
	_ = os.Remove(s.path) // who looks for it finds nobody
	_ = s.listener.Close()
	<-s.done
}

// Running are the processes that take marks, by their numbers, or that are to. What a process that
// was killed has left behind is removed.
func Running(folder string) ([]int, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []int
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), ".sock")
		pid, err := strconv.Atoi(digits)
		if !ok || err != nil || pid <= 0 || e.Type()&fs.ModeSocket == 0 {
			continue
		}
		path := filepath.Join(folder, e.Name())
		c, err := dial(path)
		switch {
		case err == nil:
			_ = c.Close()
			out = append(out, pid)
		case errors.Is(err, syscall.ECONNREFUSED):
			_ = os.Remove(path)
		case !errors.Is(err, fs.ErrNotExist): // it has ended since
			out = append(out, pid) // who sends it a mark learns what is wrong
		}
	}
	slices.Sort(out)
	return out, nil
}

// Send puts a mark into what a process traces, and returns its time once it has been taken.
func Send(folder string, pid int, name string) (uint64, error) {
	c, err := dial(filepath.Join(folder, strconv.Itoa(pid)+".sock"))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "%s\n", name); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("it did not answer: %w", err)
	}
	word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if word != "taken" {
		return 0, errors.New(rest)
	}
	return strconv.ParseUint(rest, 10, 64)
}

// NoneRunning is the error of a mark that nobody takes.
func NoneRunning() error {
	return hint.Unfitf("ext4dio-trace record -o trace.e4d", "nothing is recorded here that would take the mark")
}
