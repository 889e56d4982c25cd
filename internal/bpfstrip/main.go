// Command bpfstrip takes out of BPF objects what neither the kernel nor we read: which line
// of the source an instruction is of, relocations of that, and the compiler's labels. It is
// half of an object, which every start reads, gives to the kernel and keeps in memory.
// An object that has none of it stays as it is.
package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: bpfstrip OBJECT…")
		os.Exit(2)
	}
	for _, name := range os.Args[1:] {
		if err := strip(name); err != nil {
			fmt.Fprintf(os.Stderr, "bpfstrip: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

func strip(name string) error {
	f, err := elf.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	section := f.Section(".BTF.ext")
	if section == nil {
		return fmt.Errorf("it has no section .BTF.ext")
	}
	raw, err := section.Data()
	if err != nil {
		return err
	}
	short, err := withoutLines(raw)
	if err != nil || short == nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bpfstrip")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ext := filepath.Join(dir, "ext")
	if err := os.WriteFile(ext, short, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("llvm-objcopy-14", "--wildcard", "--strip-symbol", "LBB*", "--remove-section", ".rel.BTF.ext",
		"--remove-section", ".llvm_addrsig", "--update-section", ".BTF.ext="+ext, name)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// extHeader is the header of .BTF.ext: struct btf_ext_header of libbpf. Offsets begin
// behind it.
type extHeader struct {
	Magic          uint16
	Version, Flags uint8
	Len            uint32
	Func, Line     part
	Relo           part
}

type part struct{ Off, Len uint32 }

func (p part) of(body []byte) ([]byte, error) {
	if uint64(p.Off)+uint64(p.Len) > uint64(len(body)) {
		return nil, fmt.Errorf(".BTF.ext: %d bytes at %d of %d", p.Len, p.Off, len(body))
	}
	return body[p.Off : p.Off+p.Len], nil
}

// withoutLines leaves, of the part with lines, those of the first instructions of functions:
// the kernel wants them as soon as any instruction has a line, and the library gives one to
// each that this kernel cannot have. It is nil when there are no others.
func withoutLines(raw []byte) ([]byte, error) {
	var h extHeader
	if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, &h); err != nil {
		return nil, err
	}
	if h.Magic != 0xeb9f || int(h.Len) != binary.Size(&h) {
		return nil, fmt.Errorf(".BTF.ext: magic %#x, header of %d bytes", h.Magic, h.Len)
	}
	var parts [3][]byte
	for i, p := range []part{h.Func, h.Line, h.Relo} {
		var err error
		if parts[i], err = p.of(raw[h.Len:]); err != nil {
			return nil, err
		}
	}
	begins := map[place]bool{}
	if err := eachInfo(parts[0], func(at place, _ []byte) { begins[at] = true }); err != nil {
		return nil, err
	}
	lines, err := chosen(parts[1], begins)
	if err != nil || len(lines) == len(parts[1]) {
		return nil, err
	}
	parts[1] = lines
	var out []byte
	for i, p := range []*part{&h.Func, &h.Line, &h.Relo} {
		p.Off, p.Len = uint32(len(out)), uint32(len(parts[i]))
		out = append(out, parts[i]...)
	}
	head, err := binary.Append(nil, binary.LittleEndian, &h)
	return append(head, out...), err
}

// place is an instruction: the name of its section, by number, and its offset there.
type place struct{ section, at uint32 }

// eachInfo calls f with each record of a part of .BTF.ext: the size of one, then for each
// section its name, the number of records, and these, which begin with their offset.
func eachInfo(b []byte, f func(at place, record []byte)) error {
	next := func() (n uint32) {
		if len(b) >= 4 {
			n = binary.LittleEndian.Uint32(b)
			b = b[4:]
		}
		return n
	}
	size := next()
	for len(b) > 0 {
		section, n := next(), next()
		if size < 4 || uint64(n)*uint64(size) > uint64(len(b)) {
			return fmt.Errorf(".BTF.ext: %d records of %d bytes in %d", n, size, len(b))
		}
		for range n {
			f(place{section, binary.LittleEndian.Uint32(b)}, b[:size])
			b = b[size:]
		}
	}
	return nil
}

// chosen is a part of .BTF.ext with those records that are at these places.
func chosen(b []byte, keep map[place]bool) ([]byte, error) {
	if len(b) == 0 {
		return nil, nil
	}
	out := append([]byte(nil), b[:4]...)
	le := binary.LittleEndian
	last, count := uint32(0), 0 // the section, and where its number of records is
	err := eachInfo(b, func(at place, record []byte) {
		if !keep[at] {
			return
		}
		if count == 0 || at.section != last {
			last, count = at.section, len(out)+4
			out = le.AppendUint32(le.AppendUint32(out, last), 0)
		}
		le.PutUint32(out[count:], le.Uint32(out[count:])+1)
		out = append(out, record...)
	})
	return out, err
}
