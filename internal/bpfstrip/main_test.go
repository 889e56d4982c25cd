package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
)

// info is a part of .BTF.ext: records of one number besides their offset, by sections.
func info(sections ...[]uint32) (b []byte) {
	le := binary.LittleEndian
	b = le.AppendUint32(b, 8)
	for i, offsets := range sections {
		b = le.AppendUint32(le.AppendUint32(b, uint32(100+i)), uint32(len(offsets)))
		for _, at := range offsets {
			b = le.AppendUint32(le.AppendUint32(b, at), 7)
		}
	}
	return b
}

// made is a section .BTF.ext with these parts.
func made(parts ...[]byte) []byte {
	h := extHeader{Magic: 0xeb9f, Version: 1, Len: 32}
	at := uint32(0)
	for i, p := range []*part{&h.Func, &h.Line, &h.Relo} {
		*p = part{at, uint32(len(parts[i]))}
		at += uint32(len(parts[i]))
	}
	raw, _ := binary.Append(nil, binary.LittleEndian, &h)
	return append(raw, bytes.Join(parts, nil)...)
}

func TestWithoutLines(t *testing.T) {
	functions, relocations := info([]uint32{0, 80}, []uint32{0}), []byte("relocations")
	full := made(functions, info([]uint32{0, 8, 80, 88}, []uint32{0, 80}), relocations)
	got, err := withoutLines(full)
	if want := made(functions, info([]uint32{0, 80}, []uint32{0}), relocations); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if again, err := withoutLines(got); err != nil || again != nil {
		t.Errorf("once more: %q, %v", again, err)
	}
	cut := made(functions, info([]uint32{0})[:15], nil)
	for _, raw := range [][]byte{nil, []byte("another section, of which the header is none"), full[:len(full)-1], cut} {
		if got, err := withoutLines(raw); err == nil {
			t.Errorf("%q: %q and no error", raw, got)
		}
	}
}

// What is embedded has lines of the first instructions alone, and is still whole: an object
// that was made without this tool fails here.
func TestEmbedded(t *testing.T) {
	names, _ := filepath.Glob("../../probes/*_bpfel.o")
	if len(names) != 10 {
		t.Fatalf("%d objects: %s", len(names), strings.Join(names, " "))
	}
	for _, name := range names {
		spec, err := ebpf.LoadCollectionSpec(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range spec.Programs {
			for i := range p.Instructions {
				ins := &p.Instructions[i]
				if line, begins := ins.Source(), ins.Symbol() != ""; (line != nil) != begins {
					t.Fatalf("%s: instruction %d of %s (%s) has the line %v", name, i, p.Name, ins.Symbol(), line)
				}
			}
		}
		if info, err := os.Stat(name); err != nil || info.Size() > 450_000 {
			t.Errorf("%s has %d bytes, %v", name, info.Size(), err)
		}
	}
}
