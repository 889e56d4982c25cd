package shadow

import (
	"bytes"
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
	var s File
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 400 {
		off, n := rnd.Int64N(20000), 1+rnd.Int64N(5000)
		size := int64(len(s.Bytes))
		switch rnd.IntN(4) {
		case 0, 1:
			data := make([]byte, n)
			Fill(data, uint64(i), off)
			_, err := f.WriteAt(data, off)
			must(err)
			s.Write(off, data)
		case 2:
			must(f.Truncate(off))
			s.Truncate(off)
		default:
			if off < size { // as punching with FALLOC_FL_KEEP_SIZE
				_, err := f.WriteAt(make([]byte, min(n, size-off)), off)
				must(err)
			}
			s.Punch(off, n)
		}
		got, err := os.ReadFile(f.Name())
		must(err)
		if why := s.Compare(got); why != "" {
			t.Fatalf("after %d steps: %s", i+1, why)
		}
	}
}

func TestShadowSeesOneByte(t *testing.T) {
	s := File{Bytes: []byte("0123456789")}
	if why := s.Compare([]byte("0123X56789")); why != "1 bytes differ, the first at 4: 0x58 instead of 0x34" {
		t.Errorf("difference %q", why)
	}
	if why := s.Compare([]byte("0123")); why == "" {
		t.Error("a short file is no difference")
	}
}

func TestSettle(t *testing.T) {
	s := File{Bytes: []byte("aaaaaa")}
	for _, tt := range []struct {
		off        int64
		data, read string // at off
		want       string
		wrong      bool
	}{
		{1, "bbbb", "bbaa", "abbaaa", false},
		{1, "cccc", "cbca", "acbcaa", false},
		{0, "dde", "dxe", "dcecaa", true},
		{4, "eeee", "ee", "dcecee", false},
		{6, "ff", "", "dcecee", false},
	} {
		s.Maybe(tt.off, []byte(tt.data))
		err := s.Settle(tt.off, []byte(tt.read))
		if (err != nil) != tt.wrong || string(s.Bytes) != tt.want || s.Unsure() {
			t.Errorf("%s at %d: %s, %v; want %s", tt.data, tt.off, s.Bytes, err, tt.want)
		}
	}
	// What was read may begin before the writes that failed, and end within them.
	s.Maybe(1, []byte("gg"))
	s.Maybe(3, []byte("gg"))
	if err := s.Settle(0, []byte("dgeg")); err != nil || string(s.Bytes) != "dgegee" {
		t.Errorf("%s, %v", s.Bytes, err)
	}
}

// TestMaybe: of a write that failed every byte may be there or not, until another
// one is sure.
func TestMaybe(t *testing.T) {
	s := File{Bytes: []byte("aaaaaa")}
	if s.Maybe(2, nil); s.Unsure() {
		t.Error("a write of which nothing failed makes bytes unsure")
	}
	s.Maybe(1, []byte("bbb"))
	s.Maybe(3, []byte("cccccc"))
	for got, want := range map[string]bool{"aaaaaa": true, "abbbaa": true, "abacca": true, "aaabcc": true, "baaaaa": false, "aacaaa": false, "aaaaaab": false} {
		if why := s.Compare([]byte(got)); (why == "") != want {
			t.Errorf("%s: %q", got, why)
		}
	}
	s.Write(2, []byte("dd"))
	if s.Compare([]byte("abddaa")) != "" || s.Compare([]byte("abdbaa")) == "" {
		t.Error("a byte that was written for sure may still be another")
	}
	s.Punch(1, 1)
	s.Truncate(4)
	s.Extend(6)
	if s.Compare([]byte("a\x00dd\x00\x00")) != "" || s.Compare([]byte("abdd\x00\x00")) == "" || s.Compare([]byte("a\x00ddc\x00")) == "" {
		t.Error("what was thrown away may still be there")
	}
}

// TestMaybeAround: what is sure within a write that failed leaves the rest of it unsure.
func TestMaybeAround(t *testing.T) {
	s := File{Bytes: []byte("aaa")}
	s.Maybe(0, []byte("xyz"))
	s.Write(1, []byte("b"))
	for got, want := range map[string]bool{"aba": true, "xba": true, "abz": true, "xbz": true, "aya": false, "zba": false} {
		if why := s.Compare([]byte(got)); (why == "") != want {
			t.Errorf("%s: %q", got, why)
		}
	}
}

func TestKeptSeesOneByte(t *testing.T) {
	dir := t.TempDir()
	b := bytes.Repeat([]byte("x"), 10000)
	var k Kept[int]
	k.Keep("f", 7, b)
	for _, tt := range []struct {
		change func([]byte) []byte
		want   string
	}{
		{func(b []byte) []byte { return b }, ""},
		{func(b []byte) []byte { b[9000]++; return b }, "the bytes from 8192 to 9999 differ"},
		{func(b []byte) []byte { return b[:9999] }, "i_size is 9999, and has to be 10000"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "f"), tt.change(bytes.Clone(b)), 0o600); err != nil {
			t.Fatal(err)
		}
		if of, why := k.Differs(dir, "f"); of != 7 || why != tt.want {
			t.Errorf("of %d: difference %q, want %q", of, why, tt.want)
		}
	}
	if _, why := k.Differs(dir, "g"); why == "" || len(k.Names()) != 1 {
		t.Error("a file that is not there is no difference")
	}
}

func TestFillTellsWritesApart(t *testing.T) {
	fill := func(seed uint64, off int64) []byte {
		b := make([]byte, 4096)
		Fill(b, seed, off)
		return b
	}
	one := fill(1, 0)
	if bytes.IndexByte(one, 0) >= 0 {
		t.Error("a zero byte")
	}
	for name, other := range map[string][]byte{"write": fill(2, 0), "place": fill(1, 4096), "sector": append(one[512:], one[:512]...)} {
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
