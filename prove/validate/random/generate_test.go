package random

import (
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

var fourK = workload.FSInfo{BlockSize: 4096, Sector: 512}

func TestGenerateFollowsFromTheSeed(t *testing.T) {
	for n := 1; n < 50; n++ {
		a, b := Generate(7, n, fourK), Generate(7, n, fourK)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("case %d is not the same twice", n)
		}
		if reflect.DeepEqual(a.Steps, Generate(8, n, fourK).Steps) || reflect.DeepEqual(a.Steps, Generate(7, n+1, fourK).Steps) {
			t.Errorf("case %d is like another", n)
		}
	}
}

// TestGenerateReachesEveryClass counts what cases are made of.
func TestGenerateReachesEveryClass(t *testing.T) {
	seen := map[string]int{}
	writes := 0
	for n := 1; n <= 400; n++ {
		c := Generate(1, n, fourK)
		for i := range c.Steps {
			s := &c.Steps[i]
			seen[s.Op.String()]++
			if s.Op != Write || s.Class == "layout" {
				continue
			}
			writes++
			for _, word := range strings.Fields(s.Class) {
				seen[word]++
			}
			seen[string(s.Engine)]++
			for _, name := range workload.FlagNames(s.Flags) {
				seen[name]++
			}
			for name, is := range map[string]bool{
				"fresh": s.Fresh, "stale": s.Flags&unix.RWF_NOWAIT != 0 && !s.Fresh, "memory": s.Buf != 0,
				"segments": len(s.Segs) > 1, "whole": (s.Off|s.Len|int64(s.Buf))%4096 == 0,
			} {
				if is {
					seen[name]++
				}
			}
		}
	}
	want := append(opNames[:], "block", "in-block", "last-sector", "i_size", "before-i_size", "block-of-i_size", "beyond",
		"beyond-block", "append", "sector", "part", "one-block", "blocks", "blocks-and-part", "to-i_size", "to-block-end",
		"over-i_size", "odd", "pwrite", "pwritev2", "libaio", "io_uring", "io_uring-sqpoll", "io_uring-fixed", "nowait", "append", "dsync", "fresh", "stale",
		"memory", "segments", "whole")
	for _, name := range want {
		if seen[name] < writes/250 {
			t.Errorf("%s: %d times in %d writes", name, seen[name], writes)
		}
	}
	t.Log(writes, seen)
}

func TestGeneratedWritesCanBeMade(t *testing.T) {
	for _, fs := range []workload.FSInfo{fourK, {BlockSize: 1024, Sector: 512}, {BlockSize: 4096, Sector: 4096}, {BlockSize: 65536, Sector: 512}} {
		for n := 1; n <= 200; n++ {
			c := Generate(3, n, fs)
			writes := 0
			for i := range c.Steps {
				checkStep(t, &c.Steps[i], int64(fs.Sector))
				if c.Steps[i].Op == Write {
					writes++
				}
			}
			if writes < minWrites {
				t.Fatalf("case %d has %d writes", n, writes)
			}
		}
	}
}

func checkStep(t *testing.T, s *Step, sector int64) {
	t.Helper()
	if s.Off < 0 || s.Len < 0 || s.Len == 0 && s.Op >= Fallocate && s.Op <= Punch {
		t.Errorf("%s: position or length", s)
	}
	if s.Op != Write {
		return
	}
	sum := int64(0)
	for _, n := range s.Segs {
		sum += int64(n)
		if n <= 0 || int64(n)%sector != 0 && !strings.HasSuffix(s.Class, "odd") {
			t.Errorf("%s: segment of %d", s, n)
		}
	}
	if sum != s.Len || len(s.Segs) > workload.MaxSegs {
		t.Errorf("%s: %d bytes in %d segments", s, sum, len(s.Segs))
	}
	if s.Off%sector != 0 && s.Class != "layout" || int64(s.Buf)%sector != 0 {
		t.Errorf("%s: not in sectors", s)
	}
	if s.Engine.NoFlags() && s.Flags != 0 || s.Engine.OneSegment() && len(s.Segs) != 1 {
		t.Errorf("%s: this path cannot do that", s)
	}
}
