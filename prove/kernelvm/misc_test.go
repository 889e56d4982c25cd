package kernelvm

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "1k": 1 << 10, "512M": 512 << 20, "2G": 2 << 30, "1GiB": 1 << 30, "3gb": 3 << 30, " 1T ": 1 << 40, "7B": 7,
	} {
		if got, err := ParseSize(text); got != want || err != nil {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "G", "-1", "1.5G", "1X", "99999999999G", "1 G B"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %d", text, got)
		}
	}
}

func TestCheckBzImage(t *testing.T) {
	dir := t.TempDir()
	if err := checkBzImage(write(t, dir, "good", makeKernel(nil))); err != nil {
		t.Error(err)
	}
	var usage *UsageError
	for _, file := range []string{write(t, dir, "short", "HdrS"), filepath.Join(dir, "none"), dir} {
		if err := checkBzImage(file); !errors.As(err, &usage) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// makeVmlinux makes an ELF file with a note.
func makeVmlinux(name string, kind uint32) []byte {
	e := binary.LittleEndian
	b := make([]byte, 64+56)
	copy(b, "\x7fELF\x02\x01\x01")
	e.PutUint16(b[16:], 2)
	e.PutUint16(b[18:], 62)
	e.PutUint32(b[20:], 1)
	e.PutUint64(b[32:], 64)
	e.PutUint16(b[52:], 64)
	e.PutUint16(b[54:], 56)
	e.PutUint16(b[56:], 1)
	e.PutUint32(b[64:], 4) // PT_NOTE
	e.PutUint64(b[72:], 120)
	note := e.AppendUint32(nil, 4)
	note = e.AppendUint32(note, 0)
	note = e.AppendUint32(note, 1)
	note = append(note, "GNU\x00"...)
	note = e.AppendUint32(note, uint32(len(name)+1))
	note = e.AppendUint32(note, 8)
	note = e.AppendUint32(note, kind)
	note = append(note, name+"\x00"...)
	note = append(note, make([]byte, 8)...)
	e.PutUint64(b[96:], uint64(len(note)))
	return append(b, note...)
}

func TestWriteVmlinux(t *testing.T) {
	pvh, other := makeVmlinux("Xen", 18), makeVmlinux("Xen", 17)
	zip := func(data []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(data)
		_ = w.Close()
		return b.Bytes()
	}
	size := []byte{1, 2, 3, 4} // what the kernel appends to all but gzip
	for _, tt := range []struct {
		name    string
		payload []byte
		want    []byte
	}{
		{"gzip", zip(pvh), pvh},
		{"zstd", append(compress(t, ".zst", pvh), size...), pvh},
		{"no PVH entry", zip(other), nil},
		{"unknown format", []byte("LZO?????????"), nil},
		{"broken", zip(pvh)[:40], nil},
		{"empty", nil, nil},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "vmlinux")
		err := writeVmlinux(write(t, dir, "bzImage", makeKernel(tt.payload)), file)
		if got := read(t, file); got != string(tt.want) || (err == nil) != (tt.want != nil) {
			t.Errorf("%s: %d bytes, %v", tt.name, len(got), err)
		}
	}
}

func TestConsole(t *testing.T) {
	c := &console{}
	for range 100 {
		_, _ = c.Write([]byte("\x1b[2J[    1.0] some line\r\n"))
	}
	if c.Trouble() != "" {
		t.Errorf("trouble %q", c.Trouble())
	}
	_, _ = c.Write([]byte("[    2.0] Kernel panic - not syncing: sysrq\r\nlast"))
	if got := c.Excerpt(3); got != "[    1.0] some line\n[    2.0] Kernel panic - not syncing: sysrq\nlast" {
		t.Errorf("got %q", got)
	}
	for n := range 50 {
		fmt.Fprintf(c, "\r\n%d", n)
	}
	if got := c.Excerpt(4); got != "[    2.0] Kernel panic - not syncing: sysrq\nlast\n[…]\n48\n49" || c.Trouble() != "sysrq" {
		t.Errorf("got %q, trouble %q", got, c.Trouble())
	}
	for range 100_000 {
		_, _ = c.Write([]byte("a line\n"))
	}
	if len(c.buf) > consoleKeep || c.Excerpt(1) != "a line" {
		t.Errorf("%d bytes are kept", len(c.buf))
	}
}

func TestUntarStaysInside(t *testing.T) {
	dir := t.TempDir()
	outside := write(t, dir, "outside", "untouched")
	to := filepath.Join(dir, "out")
	e := extractTo(to)
	_, _ = e.Write(makeTar(t, "a/b", "12", "link", "->a/b", "a/b", "345"))
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if read(t, filepath.Join(to, "link")) != "345" {
		t.Error("the link does not lead to the new file")
	}
	for _, evil := range [][]string{{"../outside", "evil"}, {"up", "->..", "up/outside", "evil"}, {outside, "evil"}} {
		e := extractTo(to)
		_, _ = e.Write(makeTar(t, evil...))
		if err := e.Close(); err == nil && evil[0] != outside {
			t.Errorf("%v: no error", evil)
		}
		if read(t, outside) != "untouched" {
			t.Fatalf("%v was written", evil)
		}
	}
}

func TestClosureOfAProgram(t *testing.T) {
	files, err := newLibraryFinder("/etc/ld.so.conf").closure("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 3 || !slices.ContainsFunc(files, func(f string) bool { return strings.Contains(f, "libc.so") }) {
		t.Errorf("got %v", files)
	}
	script := write(t, t.TempDir(), "script", "#! /bin/sh -e\ntrue\n")
	if got, err := newLibraryFinder("/etc/ld.so.conf").closure(script); err != nil || got[0] != script || got[1] != "/bin/sh" || len(got) != len(files)+1 {
		t.Errorf("script: got %v, %v", got, err)
	}
	if _, err := newLibraryFinder("/none").closure(write(t, t.TempDir(), "text", "hello")); err == nil {
		t.Error("a text is no program")
	}
}

func TestLibraryFinderReadsConfiguration(t *testing.T) {
	dir := t.TempDir()
	conf := write(t, dir, "ld.so.conf", "# libs\n/opt/a # first\ninclude conf.d/*.conf\ninclude "+dir+"/ld.so.conf\n")
	write(t, dir, "conf.d/1.conf", "/opt/b\n")
	l := newLibraryFinder(conf)
	if len(l.dirs) < 2 || l.dirs[0] != "/opt/a" || l.dirs[1] != "/opt/b" {
		t.Errorf("got %v", l.dirs)
	}
}

func TestConfigCheck(t *testing.T) {
	good := func(change func(*Config)) error {
		c := Config{Args: []string{"live"}}.withDefaults()
		change(&c)
		return c.check()
	}
	if err := good(func(*Config) {}); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"no command":        func(c *Config) { c.Args = nil },
		"no CPU":            func(c *Config) { c.CPUs = -1 },
		"little memory":     func(c *Config) { c.Memory = 1 << 20 },
		"tiny disk":         func(c *Config) { c.Disk = 4096 },
		"big null_blk":      func(c *Config) { c.NullBlk = 4 << 30 },
		"odd latency":       func(c *Config) { c.Latency = 1500 * time.Microsecond },
		"negative latency":  func(c *Config) { c.Latency = -1 },
		"no image to write": func(c *Config) { c.WriteImage = true },
		"image and options": func(c *Config) { c.Image, c.Mkfs = "x", []string{"-F"} },
		"no share":          func(c *Config) { c.Share = "/none" },
	} {
		var usage *UsageError
		if err := good(change); !errors.As(err, &usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMkfsAndExtents(t *testing.T) {
	if _, err := program.Find("mkfs.ext4"); err != nil {
		t.Skip("mkfs.ext4 is not installed")
	}
	f, err := mkfs(64<<20, []string{"-b", "1024"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	extents, err := dataExtents(f)
	if err != nil || len(extents) == 0 {
		t.Fatalf("got %v, %v", extents, err)
	}
	total := int64(0)
	for _, x := range extents {
		total += x[1]
	}
	if total >= 64<<20 {
		t.Logf("the file system of %s has no holes", os.TempDir())
	}
	_, err = makeDisk(&Config{Disk: 64 << 20, Mkfs: []string{"-O", "nonsense"}})
	var usage *UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("wrong options: %v", err)
	}
	if _, err := makeDisk(&Config{Image: "/etc/passwd"}); !errors.As(err, &usage) {
		t.Errorf("no image: %v", err)
	}
}

func TestErrorsNameAFullDisk(t *testing.T) {
	var unfit *UnfitError
	err := unfitf("some hint", "write the cache: %w", unix.ENOSPC)
	if !errors.As(err, &unfit) || !strings.Contains(unfit.Hint, "free some disk space") || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %#v", err)
	}
}
