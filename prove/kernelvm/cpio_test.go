package kernelvm

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
)

// cpioEntry is one entry as the test reads it back.
type cpioEntry struct {
	name         string
	mode         uint64
	major, minor uint64
	data         string
}

// readCPIO reads a newc archive independently of the writer.
func readCPIO(t *testing.T, b []byte) []cpioEntry {
	t.Helper()
	var all []cpioEntry
	for pos := 0; ; {
		if pos%4 != 0 || string(b[pos:pos+6]) != "070701" {
			t.Fatalf("no header at %d", pos)
		}
		field := func(n int) uint64 {
			v, err := strconv.ParseUint(string(b[pos+6+8*n:pos+14+8*n]), 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		size, nameSize := int(field(6)), int(field(11))
		e := cpioEntry{mode: field(1), major: field(9), minor: field(10), name: string(b[pos+110 : pos+110+nameSize-1])}
		start := (pos + 110 + nameSize + 3) &^ 3
		e.data = string(b[start : start+size])
		if e.name == "TRAILER!!!" {
			return all
		}
		all = append(all, e)
		pos = (start + size + 3) &^ 3
	}
}

func TestCPIO(t *testing.T) {
	var b bytes.Buffer
	c := newCPIOWriter(&b)
	c.mergeUsr()
	c.Char("dev/console", 0o600, 5, 1)
	c.Bytes("/bin/prog", 0o755, "ELF")
	c.Bytes("/usr/bin/prog", 0o755, "the same place, so left out")
	c.Bytes("etc/a/b", 0o640, "12345")
	c.Symlink("init", "/bin/prog")
	if !c.Has("/usr/bin/prog") || c.Has("/usr/bin/other") {
		t.Error("Has is wrong")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range readCPIO(t, b.Bytes()) {
		got = append(got, fmt.Sprintf("%06o %d:%d %s %q", e.mode, e.major, e.minor, e.name, e.data))
	}
	want := `040755 0:0 usr ""
040755 0:0 usr/bin ""
120777 0:0 bin "usr/bin"
040755 0:0 usr/sbin ""
120777 0:0 sbin "usr/sbin"
040755 0:0 usr/lib ""
120777 0:0 lib "usr/lib"
040755 0:0 usr/lib64 ""
120777 0:0 lib64 "usr/lib64"
040755 0:0 dev ""
020600 5:1 dev/console ""
100755 0:0 usr/bin/prog "ELF"
040755 0:0 etc ""
040755 0:0 etc/a ""
100640 0:0 etc/a/b "12345"
120777 0:0 init "/bin/prog"`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestCPIOReportsAShortFile(t *testing.T) {
	c := newCPIOWriter(io.Discard)
	c.File("a", 0o644, 10, strings.NewReader("only"))
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "add a to the initramfs") {
		t.Errorf("got %v", err)
	}
}
