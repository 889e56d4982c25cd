package kernelvm

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// makeTar makes a tar archive of name, content pairs. A content that starts with
// "->" is a link.
func makeTar(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for n := 0; n < len(files); n += 2 {
		hdr := &tar.Header{Name: files[n], Mode: 0o644, Size: int64(len(files[n+1])), Typeflag: tar.TypeReg}
		target, link := strings.CutPrefix(files[n+1], "->")
		if link {
			hdr.Typeflag, hdr.Linkname, hdr.Size = tar.TypeSymlink, target, 0
		}
		if err := tw.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
		if !link {
			if _, err := tw.Write([]byte(files[n+1])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// compress compresses as a file name's extension says.
func compress(t *testing.T, ext string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	switch ext {
	case ".xz":
		w, err := xz.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(data)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	case ".zst":
		w, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(data)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	default:
		return data
	}
	return b.Bytes()
}

// makeDeb makes a .deb whose data.tar has the extension ext.
func makeDeb(t *testing.T, ext string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	member := func(name string, data []byte) {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o100644, len(data))
		b.Write(data)
		if len(data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	member("debian-binary", []byte("2.0\n"))
	member("control.tar.xz", []byte("odd"))
	member("data.tar"+ext+"/", compress(t, ext, data))
	return b.Bytes()
}

// makeModule makes an ELF file with a .modinfo section.
func makeModule(fields ...string) string {
	info := strings.Join(fields, "\x00") + "\x00"
	names := "\x00.modinfo\x00.shstrtab\x00"
	e := binary.LittleEndian
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	e.PutUint16(b[16:], 1)  // ET_REL
	e.PutUint16(b[18:], 62) // EM_X86_64
	e.PutUint32(b[20:], 1)
	e.PutUint64(b[40:], uint64(64+len(info)+len(names)))
	e.PutUint16(b[52:], 64)
	e.PutUint16(b[58:], 64)
	e.PutUint16(b[60:], 3)
	e.PutUint16(b[62:], 2)
	b = append(b, info...)
	b = append(b, names...)
	section := func(name, typ, off, size int) {
		s := make([]byte, 64)
		e.PutUint32(s, uint32(name))
		e.PutUint32(s[4:], uint32(typ))
		e.PutUint64(s[24:], uint64(off))
		e.PutUint64(s[32:], uint64(size))
		b = append(b, s...)
	}
	section(0, 0, 0, 0)
	section(1, 1, 64, len(info))             // SHT_PROGBITS
	section(10, 3, 64+len(info), len(names)) // SHT_STRTAB
	return string(b)
}

// makeKernel makes the file of a bzImage with the given payload.
func makeKernel(payload []byte) string {
	b := make([]byte, 1024, 1024+len(payload))
	b[0x1f1] = 1 // setup_sects
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(b[0x206:], 0x20f)
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	return string(append(b, payload...))
}

// write writes a file below dir and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// read returns a file's content, "" when it is not there.
func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}
