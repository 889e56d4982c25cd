package kernelvm

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// newPair makes the bells of two sides in one process.
func newPair() (host, guest *bell) {
	host, guest = newBell(nil), newBell(nil)
	host.ring, guest.ring = guest.hit, host.hit
	return host, guest
}

// newTestRing makes both ends of a ring with a small buffer.
func newTestRing(size int) (*ringWriter, *ringReader) {
	host, guest := newPair()
	r := newRing(make([]byte, ringHeaderSize+size))
	return &ringWriter{ring: r, bell: host}, &ringReader{ring: r, bell: guest}
}

func TestRingCarriesEveryByteInOrder(t *testing.T) {
	for _, size := range []int{1, 7, 4096} {
		w, r := newTestRing(size)
		want := make([]byte, 50_000)
		rnd := rand.New(rand.NewPCG(1, uint64(size)))
		for n := range want {
			want[n] = byte(rnd.Uint32())
		}
		go func() {
			for rest := want; len(rest) > 0; {
				n := min(1+rnd.IntN(5000), len(rest))
				if _, err := w.Write(rest[:n]); err != nil {
					t.Error(err)
				}
				rest = rest[n:]
			}
			w.Close()
		}()
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("size %d: got %d bytes, %v; want the %d bytes written", size, len(got), err, len(want))
		}
	}
}

func TestRingWriterLearnsThatNobodyReads(t *testing.T) {
	w, r := newTestRing(16)
	done := make(chan error)
	go func() { _, err := w.Write(make([]byte, 100)); done <- err }()
	if _, err := r.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if err := <-done; !errors.Is(err, errRingBroken) {
		t.Errorf("got %v", err)
	}
}

// What was written before the machine died must still be read: an exit status,
// or the end of a trace.
func TestRingIsReadToItsEndAfterDeath(t *testing.T) {
	w, r := newTestRing(64)
	if _, err := w.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	r.bell.kill(errGone)
	buf := make([]byte, 64)
	n, err := r.Read(buf)
	if string(buf[:n]) != "last words" || err != nil {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	if _, err := r.Read(buf); !errors.Is(err, errGone) {
		t.Errorf("then got %v", err)
	}
}

func TestRingRefusesNonsensePositions(t *testing.T) {
	_, r := newTestRing(16)
	r.hdr.head.Store(1 << 40)
	if _, err := r.Read(make([]byte, 8)); err == nil {
		t.Error("no error")
	}
}

func TestLinkPartsDoNotOverlap(t *testing.T) {
	l := newLink(make([]byte, linkSize))
	l.beat.Store(1)
	for _, r := range []ring{l.ctl, l.in, l.up} {
		if r.hdr.head.Load() != 0 || len(r.data) < 4096 {
			t.Errorf("a ring of %d bytes starts at %d", len(r.data), r.hdr.head.Load())
		}
		for n := range r.data {
			r.data[n] = 0xff
		}
		r.hdr.head.Store(0)
	}
	if l.beat.Load() != 1 || l.ctl.hdr.tail.Load() != 0 || l.in.hdr.tail.Load() != 0 || l.up.hdr.tail.Load() != 0 {
		t.Error("a ring reaches into another")
	}
}

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	if err := writeFrame(&b, frameStdout, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := writeFrame(&b, frameExit, []byte{7}); err != nil {
		t.Fatal(err)
	}
	if err := writeFrame(&b, frameStdout, make([]byte, maxFrame+1)); err == nil {
		t.Error("a frame that is too long was written")
	}
	fr := &frameReader{r: &b}
	if kind, p, err := fr.next(); kind != frameStdout || string(p) != "hello" || err != nil {
		t.Errorf("got %q %q %v", kind, p, err)
	}
	kind, p, err := fr.next()
	if kind != frameExit || err != nil || !bytes.Equal(p, []byte{7}) {
		t.Errorf("got %q %q %v", kind, p, err)
	}
	if _, _, err := fr.next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	fr = &frameReader{r: bytes.NewReader([]byte{'o', 0xff, 0xff, 0xff, 0x7f})}
	if _, _, err := fr.next(); err == nil {
		t.Error("an endless frame was accepted")
	}
}
