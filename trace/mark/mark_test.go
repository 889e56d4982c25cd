package mark

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// A name is text of 255 bytes without control characters; of any line one is made.
func TestNames(t *testing.T) {
	long := strings.Repeat("ä", 200)
	for _, tt := range []struct{ line, clean string }{
		{"generic/001", "generic/001"}, {"", ""}, {"two words", "two words"}, {"a\r", "a"},
		{"a\x1b[2J\tb", `a\x1b[2J\tb`}, {"\xff\xfe", `\xff\xfe`}, {"a\u202eb", `a\u202eb`}, {`a\b`, `a\b`}, {long, long[:254]},
	} {
		if got := Clean(tt.line); got != tt.clean || Check(got) != nil {
			t.Errorf("%q becomes %q (%v), want %q", tt.line, got, Check(got), tt.clean)
		}
		if fine := Check(tt.line) == nil; fine != (tt.line == tt.clean) {
			t.Errorf("%q: taken as it is: %v", tt.line, fine)
		}
	}
}

// The kernel's log has the tests of fstests among its own lines.
func TestTestsOfTheLog(t *testing.T) {
	for raw, want := range map[string]string{
		"12,345,5000000,-;run fstests generic/001 at 2026-01-02 03:04:05\n SUBSYSTEM=x\n": "generic/001",
		"12,345,5000000,-;run fstests ext4/051 at 2026-01-02 03:04:05\n":                  "ext4/051",
		"12,345,5000000,-;[U] run fstests generic/001 at 2026-01-02\n":                    "",
		"6,345,5000000,-;EXT4-fs (sda): mounted filesystem\n":                             "",
		"12,345,5000000,-;run fstests \n":                                                 "",
		"run fstests generic/001 at x":                                                    "",
	} {
		if got, ok := fstests(kmsgText(raw)); got != want || ok != (want != "") {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// The command's mark has been taken when it is answered; what was left behind by a killed process
// is removed, and what is no name is refused.
func TestSocket(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "marks")
	if pids, err := Running(folder); err != nil || len(pids) > 0 {
		t.Errorf("without a folder: %v, %v", pids, err)
	}
	var taken []string
	s, err := Listen(folder, func(name string) (uint64, error) {
		if name == "late" {
			return 0, errors.New("tracing has ended")
		}
		taken = append(taken, name)
		return uint64(len(taken)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(folder, fmt.Sprintf("%d.sock", os.Getpid())))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("socket of mode %v, %v", st.Mode(), err)
	}
	stale, err := listenAt(filepath.Join(folder, "1.sock"))
	if err != nil {
		t.Fatal(err)
	}
	stale.Close()
	pids, err := Running(folder)
	if err != nil || !slices.Equal(pids, []int{os.Getpid()}) {
		t.Fatalf("running: %v, %v", pids, err)
	}
	if _, err := os.Lstat(filepath.Join(folder, "1.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left behind is there still: %v", err)
	}
	for i, name := range []string{"a", ""} {
		at, err := Send(folder, os.Getpid(), name)
		if err != nil || at != uint64(i+1) || len(taken) != i+1 || taken[i] != name {
			t.Errorf("%q: %d, %v; taken %q", name, at, err, taken)
		}
	}
	for name, want := range map[string]string{"late": "tracing has ended", "a\x1b": "control characters"} {
		if _, err := Send(folder, os.Getpid(), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	s.Close()
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A folder that others can write to, or a link to one, is not used.
func TestFolderOfOthers(t *testing.T) {
	dir := t.TempDir()
	open, link := filepath.Join(dir, "open"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o770), os.Mkdir(filepath.Join(dir, "private"), 0o700), os.Symlink("private", link)); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{open, link} {
		if s, err := Listen(folder, nil); err == nil {
			s.Close()
			t.Errorf("%s is used", folder)
		}
	}
}

// follow takes marks from a source until it has been closed.
func follow(t *testing.T, from string) (marks, said chan string) {
	s, err := Open(from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	marks, said = make(chan string, 100), make(chan string, 100)
	s.Follow(func(name string) (uint64, error) { marks <- name; return 0, nil }, func(text string) { said <- text })
	return marks, said
}

// Writers of a FIFO come and go, and what one leaves without a line end is a line.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	marks, said := follow(t, path)
	for i := range 50 {
		text, want := fmt.Sprintf("test %d\n", i), []string{fmt.Sprintf("test %d", i)}
		switch i % 3 {
		case 1:
			text = want[0]
		case 2:
			text, want = "a\n\nb\x01", []string{"a", "", `b\x01`}
		}
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range want {
			if got := <-marks; got != name {
				t.Fatalf("writer %d: %q, want %q", i, got, name)
			}
		}
	}
	if text := <-said; !strings.Contains(text, `called "b\x01", as what no name can hold is written as \xNN`) {
		t.Errorf("said %q", text)
	}
}

// A descriptor is read to its end.
func TestDescriptor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(r.Fd())) // the source closes its own
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	marks, _ := follow(t, fmt.Sprint(fd))
	fmt.Fprint(w, "one\ntwo")
	w.Close()
	if a, b := <-marks, <-marks; a != "one" || b != "two" {
		t.Errorf("%q, %q", a, b)
	}
}

// What is no source is wrong usage that says what to type.
func TestNoSource(t *testing.T) {
	dir := t.TempDir()
	for from, typed := range map[string]string{filepath.Join(dir, "none"): "mkfifo ", dir: "mkfifo ", "999": "--mark-from 3", "-1": "--mark-from 3"} {
		_, err := Open(from)
		var usage *hint.UsageError
		if !errors.As(err, &usage) || !strings.HasPrefix(usage.Hint, typed) {
			t.Errorf("%s: %v", from, err)
		}
	}
}

// Who looks for what is traced while a tracer begins does not take its socket for one that was left
// behind.
func TestSocketBegins(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "marks")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = Running(folder) // it may have ended meanwhile
			}
		}
	}()
	for i := range 300 {
		s, err := Listen(folder, func(string) (uint64, error) { return 1, nil })
		if err != nil {
			t.Fatal(err)
		}
		_, err = Send(folder, os.Getpid(), "a")
		s.Close()
		if err != nil {
			t.Errorf("tracer %d: %v", i, err)
			break
		}
	}
	close(stop)
	<-stopped
}

// Of a line that is too long the beginning is a mark, and the rest is none.
func TestLineCutter(t *testing.T) {
	for in, want := range map[string][]string{
		"a\nb":             {"a", "b"},
		"\n\n":             {"", ""},
		"":                 nil,
		"long" + "\nshort": {"long", "short"},
		strings.Repeat("x", 10*lineLimit) + "\nnext\n": {strings.Repeat("x", lineLimit), "next"},
		strings.Repeat("x", lineLimit) + "\nnext":      {strings.Repeat("x", lineLimit), "next"},
		strings.Repeat("x", lineLimit+1):               {strings.Repeat("x", lineLimit)},
	} {
		for _, step := range []int{1, 7, lineLimit, 1 << 20} {
			var got []string
			c := lineCutter{mark: func(line string) { got = append(got, line) }}
			for piece := range slices.Chunk([]byte(in), step) {
				c.add(piece)
			}
			c.end(false)
			if !slices.Equal(got, want) {
				t.Errorf("%.20q of %d bytes by %d: %d lines, want %d", in, len(in), step, len(got), len(want))
			}
		}
	}
}
