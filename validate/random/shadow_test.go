package random

import (
	"bytes"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestShadowIsLikeAFile does the same to a shadow and to a file.
func TestShadowIsLikeAFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rnd := rand.New(rand.NewPCG(1, 2))
	c := &Case{Seed: 1, Number: 1}
	var s shadow
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 400 {
		off, n := rnd.Int64N(20000), 1+rnd.Int64N(5000)
		size := int64(len(s.b))
		switch rnd.IntN(4) {
		case 0, 1:
			data := make([]byte, n)
			c.fill(data, i, off)
			_, err := f.WriteAt(data, off)
			must(err)
			s.write(off, data)
		case 2:
			must(f.Truncate(off))
			s.truncate(off)
		default:
			if off < size { // as punching with FALLOC_FL_KEEP_SIZE
				_, err := f.WriteAt(make([]byte, min(n, size-off)), off)
				must(err)
			}
			s.punch(off, n)
		}
		got, err := os.ReadFile(f.Name())
		must(err)
		if why := s.compare(got); why != "" {
			t.Fatalf("after %d steps: %s", i+1, why)
		}
	}
}

func TestShadowSeesOneByte(t *testing.T) {
	s := shadow{b: []byte("0123456789")}
	if why := s.compare([]byte("0123X56789")); why != "1 bytes differ, the first at 4: 0x58 instead of 0x34" {
		t.Errorf("difference %q", why)
	}
	if why := s.compare([]byte("0123")); why == "" {
		t.Error("a short file is no difference")
	}
}

func TestSettle(t *testing.T) {
	s := shadow{b: []byte("aaaaaa")}
	if err := s.settle(1, []byte("bbbb"), []byte("bbaa")); err != nil || string(s.b) != "abbaaa" {
		t.Errorf("%s, %v", s.b, err)
	}
	if err := s.settle(1, []byte("cccc"), []byte("cbca")); err != nil || string(s.b) != "acbcaa" {
		t.Errorf("%s, %v", s.b, err)
	}
	if err := s.settle(0, []byte("dd"), []byte("dx")); err == nil {
		t.Error("a byte that is neither is no error")
	}
	if err := s.settle(4, []byte("eeee"), []byte("ee")); err != nil || string(s.b) != "dcbcee" {
		t.Errorf("%s, %v", s.b, err)
	}
}

func TestDigestSeesOneByte(t *testing.T) {
	seed := maphash.MakeSeed()
	b := bytes.Repeat([]byte("x"), 10000)
	d := digestOf(seed, b)
	if why := d.differs(digestOf(seed, b)); why != "" {
		t.Error(why)
	}
	b[9000]++
	if why := d.differs(digestOf(seed, b)); why != "the bytes from 8192 to 9999 differ" {
		t.Errorf("difference %q", why)
	}
	if why := d.differs(digestOf(seed, b[:9999])); why == "" {
		t.Error("a short file is no difference")
	}
}

func TestFillTellsStepsApart(t *testing.T) {
	c := &Case{Seed: 5, Number: 2}
	fill := func(i int, off int64) []byte {
		b := make([]byte, 4096)
		c.fill(b, i, off)
		return b
	}
	one := fill(1, 0)
	if bytes.IndexByte(one, 0) >= 0 {
		t.Error("a zero byte")
	}
	for name, other := range map[string][]byte{"step": fill(2, 0), "place": fill(1, 4096), "sector": append(one[512:], one[:512]...)} {
		same := 0
		for i := range one {
			if one[i] == other[i] {
				same++
			}
		}
		if same > 512 {
			t.Errorf("another %s: %d bytes are the same", name, same)
		}
	}
}
