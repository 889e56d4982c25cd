package matrix

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInterrupted: validate in a directory that is ended by SIGKILL, or by a power
// cut, leaves everything else as it was, and the next run cleans up after it.
func TestInterrupted(t *testing.T) {
	need(t)
	t.Parallel()
	spec := kernelSpec(t, "series-patch5")
	const scripts = "testdata/interrupted"
	var programs []string
	for _, name := range []string{"sha256sum", "mkdir", "sync"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, "--bin", file)
	}
	disk := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(512 << 20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	tool := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, append(args, disk)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	tool("mkfs.ext4", "-q", "-b", "4096")
	run := func(script string) {
		t.Helper()
		args := append([]string{"--disk", disk, "--write-disk", "--share", scripts}, programs...)
		out, stderr, status := guest(t, spec, append(args, "--", "exec", "--", "sh", "/share/"+script)...)
		if status != 0 {
			t.Fatalf("%s ended with %d:\n%s\n%s", script, status, out, stderr)
		}
	}
	run("seed.sh")
	run("kill.sh")
	run("after.sh")

	cmd := exec.Command(program(t), "vm", "--kernel", spec, "--timeout", "15m", "--disk", disk, "--write-disk", "--share", scripts, "--", "exec", "--", "sh", "/share/cut.sh")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "now" {
		t.Errorf("the guest said %q: %v", line, err)
	}
	// The machine goes down with the process that runs it.
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it ended well")
	}
	run("after.sh")
	tool("e2fsck", "-fn")
}
