package kernelvm

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// errNoVmlinux says that a kernel cannot be booted without its own
// decompressor. That one works too, but takes seconds in software emulation.
var errNoVmlinux = errors.New("no kernel with a PVH entry inside")

// bzPayload finds the compressed kernel in a bzImage
// (Documentation/arch/x86/boot.rst: payload_offset and payload_length, which
// are there since protocol 2.08).
func bzPayload(f io.ReaderAt) (*io.SectionReader, error) {
	var hdr [0x250]byte
	if _, err := f.ReadAt(hdr[:], 0); err != nil {
		return nil, fmt.Errorf("read setup header: %w", err)
	}
	e := binary.LittleEndian
	if string(hdr[0x202:0x206]) != "HdrS" || e.Uint16(hdr[0x206:]) < 0x208 {
		return nil, errNoVmlinux
	}
	setup := int64(hdr[0x1f1])
	if setup == 0 {
		setup = 4
	}
	start := (setup+1)*512 + int64(e.Uint32(hdr[0x248:]))
	return io.NewSectionReader(f, start, int64(e.Uint32(hdr[0x24c:]))), nil
}

// openPayload decompresses a kernel. All formats but gzip are followed by the
// kernel's size in four bytes, which the decompressors must not see.
func openPayload(p *io.SectionReader) (io.ReadCloser, error) {
	var magic [6]byte
	if _, err := p.ReadAt(magic[:], 0); err != nil {
		return nil, fmt.Errorf("read compressed kernel: %w", err)
	}
	data := io.NewSectionReader(p, 0, p.Size()-4)
	switch {
	case string(magic[:2]) == "\x1f\x8b":
		z, err := gzip.NewReader(p)
		if err != nil {
			return nil, err
		}
		z.Multistream(false)
		return z, nil
	case string(magic[:]) == "\xfd7zXZ\x00", string(magic[:3]) == "\x5d\x00\x00":
		// The one with the x86 filter, which the Go package does not know, or LZMA.
		return pipe(data, "xz", "-dcq", "-T0")
	case string(magic[:4]) == "\x28\xb5\x2f\xfd":
		return decompress(".zst", data)
	case string(magic[:3]) == "BZh":
		return io.NopCloser(bzip2.NewReader(data)), nil
	}
	return nil, errNoVmlinux
}

// writeVmlinux decompresses the kernel of a bzImage into a new file. The error
// is errNoVmlinux when that cannot be, or could not be booted by QEMU.
func writeVmlinux(bzImage, file string) error {
	f, err := os.Open(bzImage)
	if err != nil {
		return err
	}
	defer f.Close()
	payload, err := bzPayload(f)
	if err != nil {
		return err
	}
	r, err := openPayload(payload)
	if err != nil {
		return err
	}
	defer r.Close()
	err = writeFile(file, r)
	if err == nil && !hasPVHEntry(file) {
		err = errNoVmlinux
	}
	if err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

// hasPVHEntry tells whether an ELF kernel has the note XEN_ELFNOTE_PHYS32_ENTRY
// (include/xen/interface/elfnote.h), by which QEMU enters it.
func hasPVHEntry(file string) bool {
	f, err := elf.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		notes, err := io.ReadAll(p.Open())
		if err != nil {
			return false
		}
		if bytes.Contains(notes, []byte("\x12\x00\x00\x00Xen\x00")) { // kind and name of the note
			return true
		}
	}
	return false
}

// pipe starts a program of the machine that reads in and returns what it writes. Reading
// ends with the program's complaint when it failed. The error wraps fs.ErrNotExist when
// the program is not there.
func pipe(in io.Reader, name string, args ...string) (io.ReadCloser, error) {
	prog, err := program.Find(name)
	if err != nil {
		return nil, err
	}
	p := &piped{cmd: exec.Command(prog, args...)}
	p.cmd.Stdin, p.cmd.Stderr = in, &p.stderr
	p.cmd.SysProcAttr = program.OwnGroup()
	if p.Reader, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// piped reads from a running program.
type piped struct {
	io.Reader
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// Read returns an error instead of io.EOF when the program failed.
func (p *piped) Read(b []byte) (int, error) {
	if p.cmd.ProcessState != nil {
		return 0, io.EOF
	}
	n, err := p.Reader.Read(b)
	if err == io.EOF && n == 0 {
		if waitErr := p.cmd.Wait(); waitErr != nil {
			return 0, fmt.Errorf("%w: %s", waitErr, bytes.TrimSpace(p.stderr.Bytes()))
		}
	}
	return n, err
}

// Close ends the program when it has not ended by itself.
func (p *piped) Close() error {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
	return nil
}
