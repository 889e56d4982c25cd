package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// buildProgram builds the program as it is given to users.
func buildProgram(tb testing.TB) (bin string) {
	tb.Helper()
	bin = filepath.Join(tb.TempDir(), progName)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X runtime.godebugDefault=disablethp=1", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// The program is small: it is copied into guests and onto servers. It has 15 MB.
func TestSmall(t *testing.T) {
	const maxBytes = 20 << 20
	info, err := os.Stat(buildProgram(t))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxBytes {
		t.Errorf("the program has %d bytes, more than %d", info.Size(), maxBytes)
	}
}

// BenchmarkHelp is how long --help takes, from the start of the process to its end:
// people wait for it.
func BenchmarkHelp(b *testing.B) {
	bin := buildProgram(b)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	attr := &os.ProcAttr{Env: []string{}, Files: []*os.File{null, null, null}}
	for b.Loop() {
		p, err := os.StartProcess(bin, []string{bin, "--help"}, attr)
		if err != nil {
			b.Fatal(err)
		}
		if state, err := p.Wait(); err != nil || !state.Success() {
			b.Fatal(state, err)
		}
	}
}
