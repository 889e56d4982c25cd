package mark

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/export/safe"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Kmsg names the kernel's log as a source of marks.
const Kmsg = "kmsg"

const kmsgPath = "/dev/kmsg"

// Source is where lines come from, each of which is a mark.
type Source struct {
	file   *os.File
	read   func(*Source) error // to the end
	take   Take
	tell   func(text string)
	done   chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Open opens a source: a FIFO by its name, a file descriptor by its number, or Kmsg for the tests
// of fstests. The error is one of usage.
func Open(from string) (*Source, error) {
	s := &Source{done: make(chan struct{}), closed: make(chan struct{})}
	var err error
	if fd, number := strconv.Atoi(from); number == nil {
		s.read = (*Source).lines
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || fd < 0 {
			return nil, hint.Usagef("--mark-from 3 3<marks", "--mark-from %s: no such file descriptor is open", from)
		}
		unix.CloseOnExec(fd)
		s.file = os.NewFile(uintptr(fd), "marks")
		return s, nil
	}
	if from == Kmsg || from == kmsgPath {
		if b, err := os.ReadFile("/proc/sys/kernel/printk_devkmsg"); err == nil && strings.TrimSpace(string(b)) == "off" {
			return nil, hint.Unfitf("sysctl kernel.printk_devkmsg=on", "--mark-from %s: the kernel takes no lines for its log", from)
		}
		s.read = (*Source).kmsg
		if s.file, err = openAt(kmsgPath); err == nil {
			_, err = s.file.Seek(0, io.SeekEnd) // what was before is no mark of this trace
		}
		if err != nil {
			return nil, hint.Unfitf(hint.AsRoot(), "--mark-from %s: the kernel's log cannot be read: %w", from, err)
		}
		return s, nil
	}
	s.read = (*Source).fifo
	st, err := os.Stat(from)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.EqualFold(strings.Trim(from, ":"), Kmsg):
		return nil, hint.Usagef("--mark-from "+Kmsg, "--mark-from %s: there is no such FIFO", from)
	case errors.Is(err, fs.ErrNotExist):
		return nil, hint.Usagef("mkfifo "+hint.Words(from), "--mark-from %s: there is no such FIFO", from)
	case err == nil && st.Mode()&fs.ModeNamedPipe == 0:
		return nil, hint.Usagef("mkfifo "+hint.Words(from+".fifo"), "--mark-from %s is no FIFO", from)
	case err == nil:
		s.file, err = openAt(from)
	}
	if err != nil {
		return nil, hint.Usagef("", "--mark-from: %v", err)
	}
	return s, nil
}

// openAt opens what can be waited for, without waiting for a writer.
func openAt(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
}

// Follow takes a mark of each line that comes from now on. What it cannot read it tells of.
func (s *Source) Follow(take Take, tell func(text string)) {
	s.take, s.tell = take, tell
	go func() {
		defer close(s.done)
		err := s.read(s)
		select {
		case <-s.closed:
		default:
			if err != nil {
				tell(fmt.Sprintf("no more marks are read: %v", err))
			}
		}
	}()
}

// Close ends it, and waits for what was read. A descriptor from outside that cannot be waited for
// is left to the end of the process.
func (s *Source) Close() {
	if s == nil {
		return
	}
	s.once.Do(func() {
		close(s.closed)
		ends := s.file.SetReadDeadline(time.Unix(1, 0)) == nil
		_ = s.file.Close()
		if ends && s.take != nil {
			<-s.done
		}
	})
}

// mark takes a line.
func (s *Source) mark(line string) {
	name := Clean(line)
	if line = strings.TrimRight(line, "\r"); name != line {
		why := "what no name can hold is written as \\xNN"
		if safe.Printable(line) {
			why = fmt.Sprintf("a name has at most %d bytes", tracefile.MaxMarkName)
		}
		s.tell(fmt.Sprintf("a mark is called \"%s\", as %s", name, why))
	}
	if _, err := s.take(name); err != nil {
		s.tell(fmt.Sprintf("the mark \"%s\" is lost: %v", name, err))
	}
}

// lineLimit is what of a line is kept: more than a name can have.
const lineLimit = 4096

// lineCutter makes lines of what is read. Of one that is too long the beginning is a line, and the
// rest is none.
type lineCutter struct {
	line []byte
	over bool // the line was too long, and is not over yet
	mark func(line string)
}

func (c *lineCutter) add(b []byte) {
	for len(b) > 0 {
		piece, rest, ended := bytes.Cut(b, []byte{'\n'})
		if !c.over {
			c.line = append(c.line, piece[:min(len(piece), lineLimit-len(c.line))]...)
		}
		switch {
		case ended:
			c.end(true)
		case len(c.line) == lineLimit && !c.over:
			c.mark(string(c.line))
			c.line, c.over = c.line[:0], true
		}
		b = rest
	}
}

// end ends a line; what is behind the last line end is one, unless it is empty.
func (c *lineCutter) end(empty bool) {
	if !c.over && (empty || len(c.line) > 0) {
		c.mark(string(c.line))
	}
	c.line, c.over = c.line[:0], false
}

// lines reads a descriptor to its end.
func (s *Source) lines() error {
	c := lineCutter{mark: s.mark}
	buf := make([]byte, lineLimit)
	for {
		n, err := s.file.Read(buf)
		c.add(buf[:n])
		if err == io.EOF {
			c.end(false)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fifo reads a FIFO, whose writers come and go. It stays open between them: were it closed and
// opened again, who had opened it in between would be told that nobody reads. What the last writer
// leaves behind its last line end is a line.
func (s *Source) fifo() error {
	c := lineCutter{mark: s.mark}
	buf := make([]byte, lineLimit)
	return s.wait(func(fd int) error {
		n, err := unix.Read(fd, buf)
		if n > 0 {
			c.add(buf[:n])
			return nil
		}
		if err == nil { // no writer
			c.end(false)
			return unix.EAGAIN
		}
		return err
	})
}

// kmsg reads the kernel's log, a record at a time.
func (s *Source) kmsg() error {
	buf := make([]byte, 8192)
	return s.wait(func(fd int) error {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EPIPE): // records were overwritten before they were read
			s.tell("a part of the kernel's log is lost, and the marks in it")
			return nil
		case err != nil:
			return err
		case n == 0:
			return unix.EAGAIN
		}
		if name, ok := fstests(kmsgText(string(buf[:n]))); ok {
			s.mark(name)
		}
		return nil
	})
}

// wait calls read until that fails, and waits for more whenever it says EAGAIN.
func (s *Source) wait(read func(fd int) error) error {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		for failed == nil {
			if failed = read(int(fd)); errors.Is(failed, unix.EAGAIN) || errors.Is(failed, unix.EINTR) {
				failed = nil
				return false
			}
		}
		return true
	})
	return errors.Join(failed, err)
}
