package matrix

import (
	"os/exec"
	"strings"
	"testing"
)

// TestRefusedDevices: validate refuses every disk that is in use, divided, read-only
// or not the one that is named, and writes nothing to it.
func TestRefusedDevices(t *testing.T) {
	need(t)
	t.Parallel()
	args := []string{"--disk", "64M", "--latency", "1ms", "--share", "testdata/refused"}
	for _, name := range []string{"cksum", "dd", "losetup", "mkswap", "swapon", "ln", "sync"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--bin", file)
	}
	out, stderr, status := guest(t, kernelSpec(t, "debian-7.3"), append(args, "--", "exec", "--", "sh", "/share/devices.sh")...)
	if status != 0 || !strings.Contains(out, "nothing was written") {
		t.Errorf("ended with %d:\n%s\n%s", status, out, stderr)
	}
	for what, why := range map[string]string{
		"a mounted disk":              "is mounted on /mnt",
		"a disk with a holder":        "is held by dm-0",
		"a divided disk":              "has partitions: loop0p1",
		"swap":                        "is swap",
		"a read-only disk":            "is read-only",
		"a link to a disk":            "is a symbolic link to /dev/loop3",
		"no disk at all":              "is no block device",
		"a disk that is not given up": "--destroy-data is not given",
		"a name that is not there":    "cannot be looked at",
	} {
		if !strings.Contains(out, what+": 2: ") {
			t.Errorf("%s was not refused with 2", what)
		}
		line, _, _ := strings.Cut(out[strings.Index(out, what+": 2: ")+1:], "\n")
		if !strings.Contains(line, why) {
			t.Errorf("%s: no %q in %q", what, why, line)
		}
	}
}
