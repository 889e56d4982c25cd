package kernelvm

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// debFiles are files of a Debian kernel package in the old and the new layout,
// and of what must be left out.
var debFiles = []string{
	"./boot/vmlinuz-6.1.0-50-amd64", makeKernel(nil),
	"./boot/config-6.1.0-50-amd64", "CONFIG_EXT4_FS=m\n",
	"./lib/modules/6.1.0-50-amd64/kernel/fs/ext4/ext4.ko", makeModule("depends="),
	"./lib/modules/6.1.0-50-amd64/kernel/drivers/gpu/big.ko", "big",
	"./lib/modules/6.1.0-50-amd64/modules.builtin", "kernel/fs/proc.ko\n",
	"./lib/modules/6.1.0-50-amd64/build", "->/usr/src/linux",
	"./usr/lib/modules/7.3.4/System.map", "map",
	"./usr/lib/modules/7.3.4/../../../../etc/passwd", "evil",
	"./usr/share/doc/linux-image/copyright", "GPL",
}

func TestUnpackDeb(t *testing.T) {
	for _, ext := range []string{"", ".xz", ".zst"} {
		dir := t.TempDir()
		deb := write(t, dir, "k.deb", string(makeDeb(t, ext, makeTar(t, debFiles...))))
		to := filepath.Join(dir, "to")
		if err := unpackDeb(deb, to); err != nil {
			t.Fatal(err)
		}
		var got []string
		_ = filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				got = append(got, strings.TrimPrefix(path, to+"/"))
			}
			return err
		})
		want := []string{"System.map", "config", "modules/kernel/fs/ext4/ext4.ko", "modules/modules.builtin", "vmlinuz"}
		if !slices.Equal(got, want) {
			t.Errorf("data.tar%s: got %v, want %v", ext, got, want)
		}
		if read(t, filepath.Join(to, "modules/kernel/fs/ext4/ext4.ko")) != makeModule("depends=") {
			t.Error("the module's content is wrong")
		}
	}
}

func TestUnpackDebRefusesNonsense(t *testing.T) {
	good := string(makeDeb(t, "", makeTar(t, debFiles...)))
	for name, content := range map[string]string{
		"empty":           "",
		"text":            "this is no archive at all, is it",
		"cut in header":   good[:30],
		"cut in data":     good[:len(good)/2],
		"no data":         good[:130],
		"bad size":        strings.Replace(good, "2.0\n", "", 1),
		"bad compression": string(makeDeb(t, ".xz", nil))[:200],
	} {
		dir := t.TempDir()
		if err := unpackDeb(write(t, dir, "k.deb", content), dir); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestUnpackDebNamesThePackageAndTheProgram(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "k.deb", "text")
	if err := unpackDeb(file, dir); err == nil || !strings.Contains(err.Error(), "unpack k.deb: ") || !strings.Contains(err.Error(), "dpkg-deb: ") {
		t.Errorf("got %v", err)
	}
	t.Setenv("PATH", "/none")
	var unfit *hint.UnfitError
	var usage *hint.UsageError
	if err := unpackKernel([]string{file}, dir); !errors.As(err, &unfit) || unfit.Hint == "" || errors.As(err, &usage) {
		t.Errorf("without dpkg: got %v", err)
	}
}

func TestDebTarget(t *testing.T) {
	for name, want := range map[string]string{
		"./usr/lib/modules/7.3.4+deb13-amd64/vmlinuz":                       "vmlinuz",
		"boot/System.map-6.1":                                               "System.map",
		"./usr/lib/modules/7.3/kernel/net/9p/9pnet.ko.xz":                   "modules/kernel/net/9p/9pnet.ko.xz",
		"./lib/modules/7.3/kernel/net/ipv4/x.ko":                            "",
		"./boot/grub/grub.cfg":                                              "",
		"./lib/modules":                                                     "",
		"../../lib/modules/7.3/kernel/fs/../../../../../../etc/cron.d/x.ko": "",
	} {
		if got := debTarget(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
