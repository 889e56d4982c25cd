package storm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/validate/shadow"
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

func TestFill(t *testing.T) {
	a, b := make([]byte, 512), make([]byte, 512)
	shadow.Fill(a, tagOf(1, "a", 2, 3, 4), 1024)
	shadow.Fill(b, tagOf(1, "a", 2, 3, 4), 1024)
	if !bytes.Equal(a, b) || bytes.IndexByte(a, 0) >= 0 {
		t.Error("the bytes of a write are not known, or zeroes")
	}
	for _, other := range []uint64{tagOf(2, "a", 2, 3, 4), tagOf(1, "b", 2, 3, 4), tagOf(1, "a", 1, 3, 4), tagOf(1, "a", 2, 4, 3), tagOf(1, "a", 2, 3, 5)} {
		shadow.Fill(b, other, 1024)
		same := 0
		for i := range a {
			if a[i] == b[i] {
				same++
			}
		}
		if same > 64 {
			t.Errorf("%d of %d bytes are those of another write", same, len(a))
		}
	}
}

func TestDifference(t *testing.T) {
	s := appendSession()
	s.before = []byte("aaaaaaaa")
	s.f.Shadow.Bytes = []byte("aabbacaa")
	for _, tt := range []struct {
		got  string
		at   int64
		want string
	}{
		{"aabbacaa", 0, ""},
		{"aaa\x00acxa", 2, "3 bytes are lost, the first at 2: 0x61 instead of 0x62; 1 of them are as before the round, 1 are zeroes"},
		{"a", -1, "i_size is 1, and has to be 8"},
	} {
		if at, why := s.difference([]byte(tt.got)); at != tt.at || why != tt.want {
			t.Errorf("%q: at %d, %q", tt.got, at, why)
		}
	}
}

// TestWrote: a write that failed is in the file or not, also where another one that
// comes later moved i_size.
func TestWrote(t *testing.T) {
	s := appendSession()
	s.sc.appends, s.f.Shadow.Bytes = false, nil
	s.round.writers[0].pieces = []piece{{off: 0, len: 512}, {off: 512, len: 1024}}
	s.made = s.made[:2]
	s.made[0].result = workload.Result{Err: unix.EAGAIN}
	s.wrote()
	first, second := make([]byte, 512), make([]byte, 1024)
	s.fill(0, first)
	s.fill(1, second)
	for _, head := range [][]byte{make([]byte, 512), first} {
		if _, why := s.difference(append(slices.Clone(head), second...)); why != "" {
			t.Error(why)
		}
	}
	if at, _ := s.difference(append(first, make([]byte, 1024)...)); at != 512 {
		t.Errorf("the write that succeeded is not needed: %d", at)
	}
}

// appendSession is a round of three records, of 512, 1024 and 1536 bytes.
func appendSession() *session {
	w := writer{engine: workload.Pwritev2, depth: 1, append: true, pieces: []piece{{len: 512}, {len: 1024}, {len: 1536}}}
	s := &session{
		runner: &runner{now: &Storm{Name: "appenders"}}, sc: &scene{name: "x", appends: true},
		round: &round{writers: []writer{w}}, f: &file{File: &trial.File{}},
	}
	for i, p := range w.pieces {
		s.made = append(s.made, entry{w: &s.round.writers[0], i: i, result: workload.Result{N: int(p.len)}})
	}
	s.f.Shadow.Bytes = []byte("start")
	return s
}

func TestTakeRecords(t *testing.T) {
	s := appendSession()
	r := [][]byte{s.recordOf(0), s.recordOf(1), s.recordOf(2)}
	torn := slices.Clone(r[1])
	copy(torn[700:], r[2])
	for _, tt := range []struct {
		name string
		file [][]byte
		want string // part of what is wrong
	}{
		{"in any order", [][]byte{r[2], r[0], r[1]}, ""},
		{"lost", [][]byte{r[0], r[1]}, "1 records are not there"},
		{"twice", [][]byte{r[0], r[1], r[1], r[2]}, "at 1541: the record of 1024 bytes is there a second time"},
		{"torn", [][]byte{r[0], torn, r[2]}, "at 517: the record of 1024 bytes is torn after 700"},
		{"cut", [][]byte{r[0], r[1], r[2][:1000]}, "torn after 1000"},
		{"a gap", [][]byte{r[0], make([]byte, 512), r[1], r[2]}, "at 517: no record begins here"},
		{"the end of one", [][]byte{r[0], r[1][512:], r[1], r[2]}, "at 517: no record begins here"},
	} {
		s := appendSession()
		got := append([]byte("start"), bytes.Join(tt.file, nil)...)
		why := s.takeRecords(got)
		if tt.want == "" && (why != "" || !bytes.Equal(s.f.Shadow.Bytes, got)) || !strings.Contains(why, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, why, tt.want)
		}
	}
	if why := s.takeRecords([]byte("st")); !strings.Contains(why, "i_size is 2") {
		t.Error(why)
	}
	// A record whose write failed need not be there.
	s.made[1].result = workload.Result{Err: unix.EIO}
	if why := s.takeRecords(append([]byte("start"), append(slices.Clone(r[0]), r[2]...)...)); why != "" {
		t.Error(why)
	}
}
