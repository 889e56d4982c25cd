package export

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// idOf is the identity of a file as records hold it.
func idOf(t *testing.T, path string) FileID {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return FileID{KernelDev(st.Dev), st.Ino}
}

func TestResolveOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	id := idOf(t, path)
	var got string
	for _, file := range scanOpenFiles(uint32(os.Getpid())) {
		if file.id == id {
			got = file.path
		}
	}
	if got != path {
		t.Errorf("found %q, want %q", got, path)
	}
	if files := scanOpenFiles(1 << 30); files != nil {
		t.Errorf("a process that is not there has files open: %v", files)
	}
}

func TestResolverAsksOnce(t *testing.T) {
	asked := 0
	s := newResolver(func(uint32) []openFile {
		asked++
		return []openFile{{FileID{1, 2}, "/known"}, {FileID{1, 3}, "/too"}}
	})
	defer s.Close()
	for range 3 {
		for ino, want := range map[uint64]string{2: "/known", 3: "/too", 99: ""} {
			waitFor(t, s, ino, want)
		}
	}
	// Once for the known ones, and once for 99, which was tried in vain.
	s.mu.Lock()
	defer s.mu.Unlock()
	if asked > 2 {
		t.Errorf("%d scans, want at most 2", asked)
	}
}

// waitFor asks until the answer is there; on a busy machine the first one may be
// given up too early.
func waitFor(t *testing.T, s *Resolver, ino uint64, want string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for s.Path(1, ino, 7) != want {
		if time.Now().After(deadline) {
			t.Fatalf("inode %d is %q, want %q", ino, s.Path(1, ino, 7), want)
		}
	}
}

// A scan that hangs keeps the caller at its first question at most: all later ones
// together must not take as long as if a tenth of them waited, too.
func TestResolverDoesNotHang(t *testing.T) {
	const later = 1000
	hang := make(chan struct{})
	s := newResolver(func(uint32) []openFile { <-hang; return []openFile{{FileID{1, 2}, "/late"}} })
	defer s.Close()
	began := time.Now()
	ask := func(ino uint64) time.Duration {
		if got := s.Path(1, ino, 7); got != "" {
			t.Fatalf("inode %d is %q", ino, got)
		}
		return time.Since(began)
	}
	first := ask(later)
	var rest time.Duration
	for ino := range uint64(later) {
		rest = ask(ino) - first
	}
	if rest > later/10*first {
		t.Errorf("the first question took %v, %d more %v", first, later, rest)
	}
	s.Learn(1, 5, "/told")
	if got := s.Path(1, 5, 7); got != "/told" {
		t.Errorf("inode 5 is %q, want /told", got)
	}
	close(hang)
	waitFor(t, s, 2, "/late")
}

func TestKernelDev(t *testing.T) {
	for stat, kernel := range map[uint64]uint32{0x801: 8<<20 | 1, 0xfd03: 253<<20 | 3} {
		if got := KernelDev(stat); got != kernel {
			t.Errorf("KernelDev(%#x) = %#x, want %#x", stat, got, kernel)
		}
	}
	// Minor numbers above 255 are split in two by stat.
	const major, minor = 259, 0x12345
	if got := KernelDev(major&0xfff<<8 | minor&0xff | minor&^0xff<<12); got != major<<20|minor {
		t.Errorf("KernelDev of %d:%d = %#x", major, minor, got)
	}
}
