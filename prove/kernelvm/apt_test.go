package kernelvm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// The dependencies of Debian's kernels as apt-cache show prints them, shortened.
const (
	show61 = `Package: linux-image-amd64
Version: 6.1.176-1
Depends: linux-image-6.1.0-50-amd64 (= 6.1.176-1)
Size: 1500

`
	show61Image = `Package: linux-image-6.1.0-50-amd64
Version: 6.1.176-1
Depends: kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool
Size: 71000000
`
)

// fakeApt puts an apt in front of PATH that knows the given packages, as
// apt-cache show would print them, and downloads them from a folder.
func fakeApt(t *testing.T, packages map[string]string, debs string) (bin string) {
	t.Helper()
	bin = t.TempDir()
	etc := t.TempDir()
	write(t, etc, "sources.list", "deb http://mirror.example/debian bookworm main\n")
	for name, text := range packages {
		write(t, bin, "show/"+name, text)
	}
	write(t, bin, "apt-config", fmt.Sprintf("#!/bin/sh\necho \"list='%s/sources.list'\"\necho \"parts='%s/parts'\"\n", etc, etc))
	write(t, bin, "apt-cache", `#!/bin/sh
for a; do last=$a; done
cat "`+bin+`/show/$last" 2>/dev/null || { echo "E: No packages found" >&2; exit 100; }
`)
	write(t, bin, "apt-get", `#!/bin/sh
echo "$@" >>`+bin+`/calls
if [ -e `+bin+`/offline ]; then echo "E: Failed to fetch InRelease: no route to host" >&2; exit 100; fi
if [ -e `+bin+`/full ]; then echo "E: Write error - write (28: No space left on device)" >&2; exit 100; fi
case "$*" in *" download "*) cp `+debs+`/*.deb . ;; esac
`)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return bin
}

// testCache makes Resolve use a cache of the test's own, and returns its folder.
func testCache(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	return filepath.Join(dir, "ext4dio-trace")
}

// fakeDebian is fakeApt with Debian 12's kernel.
func fakeDebian(t *testing.T) (bin string) {
	debs := t.TempDir()
	write(t, debs, "linux-image.deb", string(makeDeb(t, ".xz", makeTar(t, debFiles...))))
	return fakeApt(t, map[string]string{"linux-image-amd64": show61, "linux-image-6.1.0-50-amd64": show61Image}, debs)
}

func TestResolveFetchesOnceAndServesOffline(t *testing.T) {
	bin := fakeDebian(t)
	testCache(t)
	opts := ResolveOptions{}
	k, err := Resolve(t.Context(), "debian:bookworm", opts)
	if err != nil {
		t.Fatal(err)
	}
	if k.Name != "debian:bookworm/amd64 6.1.176-1" || read(t, k.Image) != makeKernel(nil) ||
		read(t, filepath.Join(k.Modules, "kernel/fs/ext4/ext4.ko")) != makeModule("depends=") {
		t.Errorf("got %+v", k)
	}
	calls := read(t, bin+"/calls")
	if !strings.Contains(calls, "download linux-image-6.1.0-50-amd64=6.1.176-1\n") {
		t.Errorf("apt-get was called as %s", calls)
	}

	write(t, bin, "offline", "")
	again, err := Resolve(t.Context(), "debian:bookworm/amd64", opts)
	if err != nil || again != k {
		t.Errorf("from the cache: got %+v, %v", again, err)
	}
	if read(t, bin+"/calls") != calls {
		t.Error("apt was asked although the cache is fresh")
	}
	var unfit *hint.UnfitError
	opts.Update = true
	if _, err := Resolve(t.Context(), "debian:bookworm", opts); !errors.As(err, &unfit) {
		t.Errorf("--update offline: %v", err)
	}
}

func TestResolveUsesAnOldCacheWhenOffline(t *testing.T) {
	bin := fakeDebian(t)
	var notices []string
	cache, opts := testCache(t), ResolveOptions{Notice: func(s string) { notices = append(notices, s) }}
	k, err := Resolve(t.Context(), "debian:bookworm", opts)
	if err != nil {
		t.Fatal(err)
	}
	c := cacheFolder{filepath.Join(cache, "kernels", "bookworm-amd64")}
	if err := c.setCurrent(cacheState{"6.1.176-1", time.Now().Add(-2 * cacheFresh)}); err != nil {
		t.Fatal(err)
	}
	write(t, bin, "offline", "")
	notices = nil
	again, err := Resolve(t.Context(), "debian:bookworm", opts)
	if err != nil || again != k {
		t.Errorf("got %+v, %v", again, err)
	}
	if text := strings.Join(notices, "\n"); !strings.Contains(text, "using the cached kernel debian:bookworm/amd64 6.1.176-1 (Failed to fetch") {
		t.Errorf("notices: %s", text)
	}
}

func TestResolveWithoutNetworkAndCache(t *testing.T) {
	for _, tt := range []struct{ state, msg, hint string }{
		{"offline", "debian:bookworm/amd64 is not in the cache and cannot be fetched: Failed to fetch InRelease: no route to host", "check the network"},
		{"full", "debian:bookworm/amd64 is not in the cache and cannot be fetched: Write error - write (28: No space left on device)", "free some disk space"},
	} {
		write(t, fakeDebian(t), tt.state, "")
		testCache(t)
		_, err := Resolve(t.Context(), "debian:bookworm", ResolveOptions{})
		var unfit *hint.UnfitError
		if !errors.As(err, &unfit) || unfit.Msg != tt.msg || !strings.Contains(unfit.Hint, tt.hint) {
			t.Errorf("got %#v", err)
		}
	}
}

// A package that breaks off must leave nothing that looks like a kernel.
func TestResolveLeavesNoHalfWrittenCache(t *testing.T) {
	debs := t.TempDir()
	good := makeDeb(t, "", makeTar(t, debFiles...))
	write(t, debs, "linux-image.deb", string(good[:len(good)-2000]))
	fakeApt(t, map[string]string{"linux-image-amd64": show61, "linux-image-6.1.0-50-amd64": show61Image}, debs)
	cache := testCache(t)
	if _, err := Resolve(t.Context(), "debian:bookworm", ResolveOptions{}); err == nil {
		t.Fatal("no error")
	}
	left, err := filepath.Glob(filepath.Join(cache, "kernels/bookworm-amd64/*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".lock" {
		t.Errorf("left: %v", left)
	}
}

func TestResolveOnceForManyProcesses(t *testing.T) {
	bin := fakeDebian(t)
	testCache(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := Resolve(t.Context(), "debian:bookworm", ResolveOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(read(t, bin+"/calls"), " download "); n != 1 {
		t.Errorf("%d downloads", n)
	}
}

func TestResolveRefusesWrongSpecs(t *testing.T) {
	text := write(t, t.TempDir(), "text", strings.Repeat("this is no kernel ", 100))
	for spec, want := range map[string]string{
		"debian:buster":      `unknown Debian suite "buster"`,
		"debian:":            `unknown Debian suite ""`,
		"debian:sid/riscv64": `unknown kernel flavour "riscv64"`,
	} {
		testCache(t)
		_, err := Resolve(t.Context(), spec, ResolveOptions{})
		var usage *hint.UsageError
		if !errors.As(err, &usage) || usage.Msg != want {
			t.Errorf("%s: got %v", spec, err)
		}
	}
	for spec, want := range map[string]string{
		text:            text + " is not a bzImage",
		"/none/bzImage": "kernel /none/bzImage is not there",
		"/none/a.deb":   "kernel package: stat /none/a.deb: no such file or directory",
	} {
		testCache(t)
		_, err := Resolve(t.Context(), spec, ResolveOptions{})
		var unfit *hint.UnfitError
		if !errors.As(err, &unfit) || unfit.Msg != want || unfit.Status != exit.NoKernel {
			t.Errorf("%s: got %v", spec, err)
		}
	}
}

func TestResolveDebFiles(t *testing.T) {
	dir := t.TempDir()
	deb := write(t, dir, "linux-image.deb", string(makeDeb(t, ".zst", makeTar(t, debFiles...))))
	testCache(t)
	opts := ResolveOptions{}
	k, err := Resolve(t.Context(), deb, opts)
	if err != nil || read(t, k.Image) != makeKernel(nil) {
		t.Fatalf("got %+v, %v", k, err)
	}
	if again, err := Resolve(t.Context(), deb, opts); again != k || err != nil {
		t.Errorf("second time: %+v, %v", again, err)
	}
	other := write(t, dir, "other.deb", string(makeDeb(t, "", makeTar(t, "./usr/share/doc/x", "y"))))
	var usage *hint.UsageError
	if _, err := Resolve(t.Context(), other, opts); !errors.As(err, &usage) || !strings.Contains(err.Error(), "no kernel in other.deb") {
		t.Errorf("a package without kernel: %v", err)
	}
}

func TestResolveEndsWithItsContext(t *testing.T) {
	fakeDebian(t)
	cache, opts := testCache(t), ResolveOptions{}
	c := cacheFolder{filepath.Join(cache, "kernels", "bookworm-amd64")}
	unlock, err := c.lock(t.Context(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	opts.Notice = func(string) { cancel() } // it waits for us
	if _, err := Resolve(ctx, "debian:bookworm", opts); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestKernelPackagesOfLinux7(t *testing.T) {
	p := func(name, depends string) string {
		return "Package: " + name + "\nVersion: 7.3.4-1~bpo13+1\nDepends: " + depends + "\nSize: 10\n"
	}
	bin := fakeApt(t, map[string]string{
		"linux-image-amd64":               p("linux-image-amd64", "linux-base-amd64 (= 7.3.4-1~bpo13+1), linux-image-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)"),
		"linux-base-amd64":                p("linux-base-amd64", "linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)"),
		"linux-base-7.3.4+deb13-amd64":    p("linux-base-7.3.4+deb13-amd64", "linux-base (>= 4.17~)"),
		"linux-image-7.3.4+deb13-amd64":   p("linux-image-7.3.4+deb13-amd64", "dracut | linux-initramfs-tool, linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), linux-binary-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), linux-modules-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)"),
		"linux-binary-7.3.4+deb13-amd64":  p("linux-binary-7.3.4+deb13-amd64", "linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)"),
		"linux-modules-7.3.4+deb13-amd64": p("linux-modules-7.3.4+deb13-amd64", "kmod"),
	}, t.TempDir())
	a, err := newApt(t.Context(), t.TempDir(), "trixie-backports")
	if err != nil {
		t.Fatal(err)
	}
	version, pkgs, err := a.kernelPackages(t.Context(), "linux-image-amd64")
	var names []string
	for _, p := range pkgs {
		names = append(names, p.name)
	}
	want := "linux-base-amd64 linux-image-7.3.4+deb13-amd64 linux-base-7.3.4+deb13-amd64 linux-binary-7.3.4+deb13-amd64 linux-modules-7.3.4+deb13-amd64"
	if got := strings.Join(names, " "); version != "7.3.4-1~bpo13+1" || got != want || err != nil {
		t.Errorf("got %s %s, %v", version, got, err)
	}
	if err := os.Remove(bin + "/show/linux-modules-7.3.4+deb13-amd64"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.kernelPackages(t.Context(), "linux-image-amd64"); err == nil {
		t.Error("a missing part was not noticed")
	}
	if _, pkgs, err := a.kernelPackages(t.Context(), "linux-image-none"); len(pkgs) != 0 || err != nil {
		t.Errorf("no such kernel: %v, %v", pkgs, err)
	}
}
