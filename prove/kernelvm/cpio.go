package kernelvm

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// File types of a cpio entry, as in st_mode.
const (
	modeDir     = 0o040000
	modeRegular = 0o100000
	modeSymlink = 0o120000
	modeChar    = 0o020000
)

// cpioWriter writes a newc archive as the kernel's initramfs unpacker reads it
// (Documentation/driver-api/early-userspace/buffer-format.rst). Parent folders
// are made by themselves. Errors stick and are returned by Close.
type cpioWriter struct {
	w   *bufio.Writer
	pos int64
	ino int
	has map[string]bool
	err error
}

// newCPIOWriter starts an archive on w.
func newCPIOWriter(w io.Writer) *cpioWriter {
	return &cpioWriter{w: bufio.NewWriterSize(w, 1<<20), has: map[string]bool{}}
}

// Dir adds the folder name and its parents.
func (c *cpioWriter) Dir(name string) { c.add(name, modeDir|0o755, 0, 0, 0, strings.NewReader("")) }

// File adds a regular file of size bytes read from r.
func (c *cpioWriter) File(name string, perm uint32, size int64, r io.Reader) {
	c.add(name, modeRegular|perm&0o7777, size, 0, 0, r)
}

// Bytes adds a regular file with the given content.
func (c *cpioWriter) Bytes(name string, perm uint32, content string) {
	c.File(name, perm, int64(len(content)), strings.NewReader(content))
}

// Symlink adds a symbolic link.
func (c *cpioWriter) Symlink(name, target string) {
	c.add(name, modeSymlink|0o777, int64(len(target)), 0, 0, strings.NewReader(target))
}

// Char adds a character device node.
func (c *cpioWriter) Char(name string, perm uint32, major, minor int) {
	c.add(name, modeChar|perm, 0, major, minor, strings.NewReader(""))
}

// usrLinks are the folders that are links into usr, as on most systems today, so
// that a program is found by its old and by its new path.
var usrLinks = []string{"bin", "sbin", "lib", "lib64"}

// mergeUsr makes those links. Names given later are below usr by themselves.
func (c *cpioWriter) mergeUsr() {
	for _, name := range usrLinks {
		c.Dir("usr/" + name)
		c.Symlink(name, "usr/"+name)
	}
}

// Has tells whether name is in the archive already.
func (c *cpioWriter) Has(name string) bool { return c.has[cpioName(name)] }

// Close ends the archive and returns the first error there was.
func (c *cpioWriter) Close() error {
	c.entry("TRAILER!!!", 0, 0, 0, 0, strings.NewReader(""))
	if err := c.w.Flush(); c.err == nil && err != nil {
		c.err = fmt.Errorf("write initramfs: %w", err)
	}
	return c.err
}

// cpioName is the name in the archive: relative, and below usr for the folders
// that mergeUsr links.
func cpioName(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	first, _, _ := strings.Cut(name, "/")
	if slices.Contains(usrLinks, first) && name != first {
		return "usr/" + name
	}
	return name
}

// add adds an entry and its parents, unless there is one of that name.
func (c *cpioWriter) add(name string, mode uint32, size int64, major, minor int, r io.Reader) {
	name = cpioName(name)
	if name == "" || c.has[name] {
		return
	}
	if dir := path.Dir(name); dir != "." {
		c.Dir(dir)
	}
	c.entry(name, mode, size, major, minor, r)
}

func (c *cpioWriter) entry(name string, mode uint32, size int64, major, minor int, r io.Reader) {
	if c.err != nil {
		return
	}
	if size >= 1<<32 {
		c.err = fmt.Errorf("add %s to the initramfs: 4 GiB or more", name)
		return
	}
	c.has[name] = true
	c.ino++
	nlink := 1
	if mode&0o170000 == modeDir {
		nlink = 2
	}
	hdr := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		c.ino, mode, 0, 0, nlink, 0, size, 0, 0, major, minor, len(name)+1, 0, name)
	c.write(name, strings.NewReader(hdr), int64(len(hdr)))
	c.write(name, r, size)
}

// write copies size bytes and pads to a multiple of four.
func (c *cpioWriter) write(name string, r io.Reader, size int64) {
	if c.err != nil {
		return
	}
	n, err := io.CopyN(c.w, r, size)
	c.pos += n
	for err == nil && c.pos%4 != 0 {
		err = c.w.WriteByte(0)
		c.pos++
	}
	if err != nil {
		c.err = fmt.Errorf("add %s to the initramfs: %w", name, err)
	}
}
