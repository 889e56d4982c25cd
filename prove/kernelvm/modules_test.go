package kernelvm

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

func TestModuleClosure(t *testing.T) {
	dir := t.TempDir()
	ext4 := makeModule("license=GPL", "depends=mbcache,jbd2", "softdep=pre: crc32c post: later", "intree=Y")
	write(t, dir, "kernel/fs/ext4/ext4.ko.xz", string(compress(t, ".xz", []byte(ext4))))
	write(t, dir, "kernel/fs/jbd2/jbd2.ko.zst", string(compress(t, ".zst", []byte(makeModule("depends=crc16,built-in-one")))))
	write(t, dir, "kernel/fs/mbcache.ko", makeModule("depends="))
	write(t, dir, "kernel/lib/crc16.ko", makeModule("depends="))
	write(t, dir, "kernel/crypto/crc32c.ko", makeModule("name=crc32c"))
	write(t, dir, "kernel/fs/later.ko", makeModule("depends="))
	write(t, dir, "kernel/drivers/md/dm-delay.ko", makeModule("depends=dm-mod"))
	write(t, dir, "kernel/drivers/md/dm-mod.ko", makeModule("depends="))
	write(t, dir, "kernel/drivers/bad.ko", "no ELF")
	write(t, dir, "modules.order", "kernel/fs/ext4/ext4.ko\n")

	set, err := newModuleSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	mods, err := set.closure([]string{"virtio_scsi", "ext4", "mbcache", "dm_delay"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range mods {
		names = append(names, m.name)
	}
	if got, want := strings.Join(names, " "), "mbcache crc16 jbd2 crc32c ext4 dm_mod dm_delay"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if string(mods[4].data) != ext4 {
		t.Error("ext4 is not the decompressed file")
	}
	if err := set.expand([]string{"ext4", "jbd2"}); err != nil {
		t.Fatal(err)
	}
	again, err := newModuleSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, again["ext4"]); got != ext4 || filepath.Ext(again["jbd2"]) != ".ko" {
		t.Errorf("expanded: %v", again)
	}
	if _, err := set.closure([]string{"bad"}); err == nil || !strings.Contains(err.Error(), "read module bad") {
		t.Errorf("a module that is none: %v", err)
	}
}

func TestFindModules(t *testing.T) {
	one := t.TempDir()
	write(t, one, "lib/modules/7.3.4/kernel/fs/x.ko", "")
	for _, dir := range []string{one, filepath.Join(one, "lib/modules"), filepath.Join(one, "lib/modules/7.3.4")} {
		if got, err := findModules(dir); got != filepath.Join(one, "lib/modules/7.3.4") || err != nil {
			t.Errorf("%s: got %s, %v", dir, got, err)
		}
	}
	write(t, one, "lib/modules/6.1/kernel/fs/x.ko", "")
	var usage *hint.UsageError
	if _, err := findModules(one); !errors.As(err, &usage) {
		t.Errorf("two kernels: %v", err)
	}
	if _, err := findModules(filepath.Join(one, "none")); !errors.As(err, &usage) {
		t.Errorf("no folder: %v", err)
	}
}

func TestModuleParams(t *testing.T) {
	got := moduleParams("scsi_mod", "quiet scsi_mod.scan=manual scsi-mod.x=1 null_blk.gb=1 scsi_mod=2")
	if got != "scan=manual x=1" {
		t.Errorf("got %q", got)
	}
}
