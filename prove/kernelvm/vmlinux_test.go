package kernelvm

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"path/filepath"
	"testing"
)

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
