package kernelvm

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/sys/unix"
)

// newHostile makes the host's side of a run without a machine, with a small ring from the
// guest in which up stands.
func newHostile(t testing.TB, up []byte, head uint64) (*run, *bytes.Buffer) {
	t.Helper()
	small := func(size int) ring { return newRing(make([]byte, ringHeaderSize+size)) }
	out := &bytes.Buffer{}
	r := &run{
		cfg:   &Config{Stdout: out, Stderr: out, Out: filepath.Join(t.TempDir(), "out"), Memory: 1 << 10},
		q:     &qemu{bell: newBell(func() {}), console: &console{}, stderr: &console{}},
		link:  &link{up: small(1 << 14), ctl: small(64), in: small(64)},
		hello: make(chan struct{}), ended: make(chan ending, 1),
	}
	r.ctl = ringWriter{ring: r.link.ctl, bell: r.q.bell}
	copy(r.link.up.data, up)
	r.link.up.hdr.head.Store(head)
	r.q.bell.kill(errGone)
	return r, out
}

// frames words frames one after the other: kind, payload, kind, payload.
func frames(all ...string) []byte {
	var b []byte
	for i := 0; i < len(all); i += 2 {
		b = append(b, frame(frameKind(all[i][0]), []byte(all[i+1]))...)
	}
	return b
}

func TestHostileFrames(t *testing.T) {
	for name, tt := range map[string]struct {
		frames []byte
		code   int
		err    string // a part; empty: none
	}{
		"hello twice":      {frames("h", "", "h", ""), 0, "makes no sense"},
		"no status":        {frames("h", "", "x", ""), 0, "makes no sense"},
		"status of two":    {frames("x", "\x00\x01"), 0, "makes no sense"},
		"unknown":          {frames("?", "abc"), 0, "makes no sense"},
		"no reason":        {frames("f", "{}"), 0, "did not say why"},
		"no JSON":          {frames("f", "\x1b[2J"), 0, "did not say why"},
		"escapes":          {frames("f", `{"Msg":"a\u001b[2J\u009b2J"}`), 0, "a"},
		"too long":         {[]byte{'o', 0xff, 0xff, 0xff, 0xff}, 0, "too many"},
		"cut":              {frames("o", "abc")[:6], 0, "the machine has ended"},
		"nothing":          {nil, 0, "the machine has ended"},
		"well":             {frames("h", "", "o", "text", "x", "\x07"), 7, ""},
		"/out breaks off":  {frames("t", "x"), 0, "the machine has ended"},
		"/out is no tar":   {frames("t", strings.Repeat("x", 1024), "x", "\x00"), 0, "save the guest's /out"},
		"/out is too much": {frames("t", string(makeTar(t, "file", strings.Repeat("x", 3*1024), "other", strings.Repeat("y", 14*1024)))[:14<<10], "x", "\x00"), 0, "save the guest's /out"},
	} {
		r, _ := newHostile(t, tt.frames, uint64(len(tt.frames)))
		r.readFrames()
		end := <-r.ended
		if end.code != tt.code || (end.err == nil) != (tt.err == "") || end.err != nil && !strings.Contains(end.err.Error(), tt.err) {
			t.Errorf("%s: %d, %v", name, end.code, end.err)
		}
		if end.err != nil && strings.ContainsAny(end.err.Error(), "\x1b\u009b") {
			t.Errorf("%s: %q would reach the terminal", name, end.err)
		}
	}
}

// A guest that does not read, or says that it has read what was not written, keeps nobody
// waiting who tells it something.
func TestHostileReader(t *testing.T) {
	r, _ := newHostile(t, nil, 0)
	for _, tail := range []uint64{0, 1 << 63, 7} {
		r.link.ctl.hdr.tail.Store(tail)
		for range 100 {
			r.tell(frameSignal, []byte{15})
		}
	}
}

// A tar stream of a few bytes can stand for a sparse file that fills the disk.
func TestUntarIsBounded(t *testing.T) {
	dir := t.TempDir()
	e := extractTo(dir, 100)
	_, _ = e.Write(makeTar(t, "a", strings.Repeat("x", 60), "b", strings.Repeat("y", 60)))
	if err := e.Close(); err == nil || !strings.Contains(err.Error(), "larger than the guest's memory") {
		t.Errorf("got %v", err)
	}
}

// FuzzHost: no byte that a guest leaves in the shared memory or says on its console makes the
// host panic, wait for ever, write outside the folder for /out, or send controls to the terminal.
func FuzzHost(f *testing.F) {
	for _, up := range [][]byte{
		frames("h", "", "o", "text", "x", "\x00"), frames("h", "", "h", ""), frames("f", `{"Msg":"m","Hint":"h"}`),
		frames("t", string(makeTar(f, "../up", "evil")), "x", "\x00"), frames("t", string(makeTar(f, "link", "->/tmp", "link/x", "evil")), "x", "\x01"),
		{'o', 0xff, 0xff, 0xff, 0x7f},
	} {
		f.Add(up, uint64(len(up)), uint64(0), []byte("\x1b[2J\u009b31m\u202e Kernel panic - not syncing: \x07"))
	}
	f.Fuzz(func(t *testing.T, up []byte, head, tail uint64, said []byte) {
		r, out := newHostile(t, up, head)
		r.link.ctl.hdr.tail.Store(tail)
		r.tell(frameStop, nil)
		r.readFrames()
		_, err := r.judge(<-r.ended, nil)
		if out.Len() > len(r.link.up.data) {
			t.Errorf("%d bytes of output", out.Len())
		}
		_, _ = r.q.console.Write(said)
		text := r.q.console.Excerpt(consoleLines) + r.q.console.Trouble()
		if err != nil && !worded(err) {
			text += err.Error()
		}
		for _, c := range text {
			if c != '\n' && c != '\t' && !unicode.IsPrint(c) {
				t.Errorf("%q would reach the terminal", c)
			}
		}
		outside, _ := filepath.Glob(filepath.Join(filepath.Dir(r.cfg.Out), "*"))
		if len(outside) > 1 || len(outside) == 1 && outside[0] != r.cfg.Out {
			t.Errorf("files outside of /out: %v", outside)
		}
	})
}

// A console file that is full does not stop the guest.
func TestCarelessConsole(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	w := &careless{full}
	for range 2 {
		if n, err := w.Write([]byte("text")); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if _, err := full.Write([]byte("x")); err != unix.ENOSPC && err == nil {
		t.Error("the file is not full")
	}
}
