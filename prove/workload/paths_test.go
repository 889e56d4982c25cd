package workload

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPaths(t *testing.T) {
	var p Paths
	one, err := p.Open(Libaio, 4)
	if errors.Is(err, ErrUnfit) {
		t.Skip(err)
	}
	again, err2 := p.Open(Libaio, 4)
	deeper, err3 := p.Open(Libaio, 8)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	if one != again || one == deeper {
		t.Error("a path is opened twice, or with another depth")
	}
	if _, err := p.Open("pigeon", 1); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if missing, err := Missing([]EngineName{Pwrite, Pwritev2}, 1); err != nil || len(missing) > 0 {
		t.Errorf("%v, %v", missing, err)
	}
	if _, err := Missing([]EngineName{"pigeon"}, 1); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
}

func TestGrowingBuffer(t *testing.T) {
	var g GrowingBuffer
	small, err := g.Bytes(10)
	if err != nil || len(small) < 10 {
		t.Fatal(len(small), err)
	}
	same, err := g.Bytes(int64(len(small)))
	if err != nil || &same[0] != &small[0] {
		t.Errorf("memory that is large enough moved, %v", err)
	}
	large, err := g.Bytes(int64(len(small)) + 1)
	if err != nil || len(large) <= len(small) || address(large)%bufferAlign != 0 {
		t.Errorf("%d bytes at %#x, %v", len(large), address(large), err)
	}
	if err := errors.Join(g.Close(), g.Close()); err != nil {
		t.Error(err)
	}
}

func TestCut(t *testing.T) {
	mem := []byte("abcdef")
	got := Cut(mem, []int{1, 3})
	if len(got) != 2 || string(got[0]) != "a" || string(got[1]) != "bcd" || cap(got[0]) != 1 {
		t.Errorf("%q", got)
	}
}

func TestFlagNames(t *testing.T) {
	if got := FlagNames(unix.RWF_DSYNC | unix.RWF_NOWAIT); !slices.Equal(got, []string{"nowait", "dsync"}) {
		t.Errorf("%q", got)
	}
	if FlagNamed("atomic") != unix.RWF_ATOMIC || FlagNamed("no") != 0 {
		t.Error("a flag by its name")
	}
}
