package fstests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is said of a file is what od says of it, after any changes, of all and of a part.
func TestDumpIsOd(t *testing.T) {
	od, err := exec.LookPath("od")
	if err != nil {
		t.Skip("no od here")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "f")
	for range 60 {
		var c Content
		var want []byte
		for range rng.IntN(12) {
			off, n := rng.Int64N(700), rng.Int64N(300)
			grow := func(size int64) { want = append(want, make([]byte, max(size-int64(len(want)), 0))...) }
			switch rng.IntN(4) {
			case 0, 1:
				b := "\x00AB\x7f"[rng.IntN(4)]
				c.Write(off, n, b)
				if n > 0 {
					grow(off + n)
				}
				for i := off; i < off+n; i++ {
					want[i] = b
				}
			case 2:
				c.Zero(off, n)
				for i := off; i < min(off+n, int64(len(want))); i++ {
					want[i] = 0
				}
			case 3:
				c.Truncate(off)
				grow(off)
				want = want[:off]
			}
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		off := min(rng.Int64N(10)*perLine, int64(len(want))/perLine*perLine)
		for _, r := range []Range{{0, int64(len(want))}, {off, 160}} {
			out, err := exec.Command(od, "-Ax", "-t", "x1z", "-j", fmt.Sprint(r.Off), "-N", fmt.Sprint(r.Len), path).Output()
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			c.dump(&b, r.Off, r.Len)
			if b.String() != string(out) {
				t.Fatalf("%+v of %d:\n%s\nod:\n%s", r, len(want), b.String(), out)
			}
		}
	}
}
