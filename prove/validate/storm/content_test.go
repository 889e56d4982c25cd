package storm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

func TestFill(t *testing.T) {
	a, b := make([]byte, 512), make([]byte, 512)
	tagOf(1, "a", 2, 3, 4).fill(a, 1024)
	tagOf(1, "a", 2, 3, 4).fill(b, 1024)
	if !bytes.Equal(a, b) || bytes.IndexByte(a, 0) >= 0 {
		t.Error("the bytes of a write are not known, or zeroes")
	}
	for _, other := range []tag{tagOf(2, "a", 2, 3, 4), tagOf(1, "b", 2, 3, 4), tagOf(1, "a", 1, 3, 4), tagOf(1, "a", 2, 4, 3), tagOf(1, "a", 2, 3, 5)} {
		other.fill(b, 1024)
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

func TestShadow(t *testing.T) {
	s := shadow{b: []byte("aaaaaaaa")}
	s.before = slices.Clone(s.b)
	s.write(2, []byte("bb"))
	s.pending = []unsettled{{4, []byte("cc")}}
	// Of a write that failed, the second byte came to the disk.
	s.settle([]byte("aabbacaa"))
	if string(s.b) != "aabbacaa" {
		t.Errorf("settled to %q", s.b)
	}
	if d := s.compare([]byte("aabbacaa")); d != nil {
		t.Error(d.text)
	}
	d := s.compare([]byte("aaa\x00acxa"))
	if d == nil || d.at != 2 || d.text != "3 bytes are lost, the first at 2: 0x61 instead of 0x62; 1 of them are as before the round, 1 are zeroes" {
		t.Errorf("%+v", d)
	}
	if d := s.compare([]byte("a")); d == nil || d.at != -1 || d.text != "i_size is 1, and has to be 8" {
		t.Errorf("%+v", d)
	}
	s.resize(4)
	s.resize(6)
	s.punch(1, 1)
	s.punch(5, 100)
	if string(s.b) != "a\x00bb\x00\x00" {
		t.Errorf("%q", s.b)
	}
}

// appendSession is a round of three records, of 512, 1024 and 1536 bytes.
func appendSession() *session {
	w := writer{engine: workload.Pwritev2, depth: 1, append: true, pieces: []piece{{len: 512}, {len: 1024}, {len: 1536}}}
	s := &session{
		runner: &runner{now: &Storm{Name: "appenders"}}, sc: &scene{name: "x", appends: true},
		round: &round{writers: []writer{w}}, pieces: []place{{0, 0}, {0, 1}, {0, 2}},
		results: []workload.Result{{N: 512}, {N: 1024}, {N: 1536}},
	}
	s.shadow.b = []byte("start")
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
		if tt.want == "" && (why != "" || !bytes.Equal(s.shadow.b, got)) || !strings.Contains(why, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, why, tt.want)
		}
	}
	if why := s.takeRecords([]byte("st")); !strings.Contains(why, "i_size is 2") {
		t.Error(why)
	}
	// A record whose write failed need not be there.
	s.results[1] = workload.Result{Err: unix.EIO}
	if why := s.takeRecords(append([]byte("start"), append(slices.Clone(r[0]), r[2]...)...)); why != "" {
		t.Error(why)
	}
}
