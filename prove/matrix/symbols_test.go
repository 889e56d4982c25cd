package matrix

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSymbols: asked for its symbols one by one, a kernel tells what /proc/kallsyms
// tells. The test of package probes runs in it, as it sees what the program does not show.
func TestSymbols(t *testing.T) {
	need(t)
	t.Parallel()
	dir := t.TempDir()
	build := exec.Command("go", "test", "-c", "-o", filepath.Join(dir, "probes.test"), "../../probes")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the tests of probes: %v\n%s", err, out)
	}
	for _, k := range kernels {
		switch k.name {
		case "debian-6.1", "debian-6.12", "debian-sid", "debian-7.3", "series-patch5", "env-nokprobes":
		default:
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			out, stderr, status := guest(t, kernelSpec(t, k.name), "--share", dir, "--",
				"exec", "--", "/share/probes.test", "-test.v", "-test.run", "^TestSymbolsBothWays$")
			if status != 0 || !strings.Contains(out, "both ways:") {
				t.Errorf("ended with %d:\n%s%s", status, out, stderr)
			}
		})
	}
}
