package kernelvm

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// fakeRoot is an apt that installs nothing but copies packages to where they are to be
// downloaded.
func fakeRoot(t *testing.T, debs string) (bin string) {
	bin = fakeApt(t, nil, debs)
	write(t, bin, "apt-get", `#!/bin/sh
echo "$@" >>`+bin+`/calls
if [ -e `+bin+`/offline ]; then echo "E: Failed to fetch InRelease: no route to host" >&2; exit 100; fi
for a; do case $a in Dir::Cache::archives=*) to=${a#*=} ;; install) cp `+debs+`/*.deb $to ;; esac; done
`)
	return bin
}

func TestDebianRootIsMadeOnce(t *testing.T) {
	debugfs, err := program.Find("debugfs")
	if err != nil {
		t.Skip(err)
	}
	debs := t.TempDir()
	write(t, debs, "base-files_1_amd64.deb", string(makeDeb(t, ".xz", makeTar(t, "usr/bin/first", "1", "bin", "->usr/bin"))))
	write(t, debs, "a_1_amd64.deb", string(makeDeb(t, ".xz", makeTar(t, "usr/bin/a", "text"))))
	bin := fakeRoot(t, debs)
	testCache(t)
	quiet := func(string) {}
	image, err := DebianRoot(t.Context(), "trixie", 16<<20, []string{"a"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := CopyImage(copied, image); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{image, copied} {
		out, err := exec.Command(debugfs, "-R", "cat /usr/bin/a", file).Output()
		if err != nil || string(out) != "text" {
			t.Errorf("%s holds %q, %v", file, out, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(image), "*")); len(left) != 1 {
		t.Errorf("in the cache are %v", left)
	}
	calls := read(t, bin+"/calls")
	if !strings.HasSuffix(calls, " install a\n") {
		t.Errorf("apt-get was called as %s", calls)
	}
	write(t, bin, "offline", "")
	again, err := DebianRoot(t.Context(), "trixie", 16<<20, []string{"a"}, quiet)
	if err != nil || again != image || read(t, bin+"/calls") != calls {
		t.Errorf("second time: %s, %v", again, err)
	}
	// Other packages are another root.
	if _, err := DebianRoot(t.Context(), "trixie", 16<<20, []string{"b"}, quiet); !errors.Is(err, ErrNoRoot) {
		t.Errorf("offline: %v", err)
	}
	if st, err := os.Stat(copied); err != nil || st.Size() != 16<<20 {
		t.Errorf("the copy: %v, %v", st, err)
	}
}
