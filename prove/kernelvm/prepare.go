package kernelvm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
)

// check finds what makes no sense in a configuration.
func (c *Config) check() error {
	switch {
	case len(c.Args) == 0:
		return usagef("ext4dio-trace vm -- live", "no subcommand to run in the guest")
	case c.CPUs < 1 || c.CPUs > 64:
		return usagef("", "%d CPUs: from 1 to 64 are possible", c.CPUs)
	case c.Memory < 256<<20:
		return usagef("--mem 1G", "%d MiB of memory are not enough to boot: at least 256 MiB", c.Memory>>20)
	case c.Disk < 8<<20 || c.NullBlk > 0 && c.NullBlk < 8<<20:
		return usagef("--disk 2G", "a disk of less than 8 MiB is too small")
	case c.NullBlk > c.Memory/2:
		return usagef("raise --mem", "a memory-backed disk of %d MiB does not fit into %d MiB of memory", c.NullBlk>>20, c.Memory>>20)
	case c.Latency < 0:
		return usagef("", "negative latency %v", c.Latency)
	case c.Latency > 0 && c.NullBlk == 0 && c.Latency%time.Millisecond != 0:
		return usagef("give whole milliseconds, or --null-blk SIZE", "the SCSI disk cannot be delayed by %v", c.Latency)
	case c.WriteImage && c.Image == "":
		return usagef("--disk FILE --write-disk", "there is no image of yours to write to")
	case c.Image != "" && (len(c.Mkfs) > 0 || c.NullBlk > 0):
		return usagef("", "an image does not go with --mkfs or --null-blk")
	case c.Share != "" && !isDir(c.Share):
		return usagef("", "--share %s is no folder", c.Share)
	}
	return nil
}

// prepareParts makes the files of the machine.
func prepareParts(cfg *Config, p *parts) error {
	if cfg.NullBlk > 0 {
		cfg.Disk = cfg.NullBlk
	}
	disk, err := makeDisk(cfg)
	if err != nil {
		return err
	}
	p.disk = p.add(disk)
	if cfg.Share != "" {
		share, err := packShare(cfg.Share)
		if err != nil {
			return err
		}
		p.share = p.add(share)
	}
	gc, err := newGuestConfig(cfg, disk)
	if err != nil {
		return err
	}
	initrd, err := buildInitramfs(cfg, gc)
	if err != nil {
		return err
	}
	p.initrd = p.add(initrd)
	return nil
}

// makeDisk makes the disk's image, or opens the caller's.
func makeDisk(cfg *Config) (*os.File, error) {
	if cfg.Image == "" {
		f, err := mkfs(cfg.Disk, cfg.Mkfs)
		if err != nil && !worded(err) {
			advice := "see mkfs.ext4(8) for what --mkfs may hold, and --disk for the size"
			if strings.Contains(err.Error(), "64-bit") {
				advice = `without extents: --mkfs "-O ^extents,^64bit"`
			}
			return nil, usagef(advice, "%w", err)
		}
		return f, err
	}
	how := os.O_RDONLY
	if cfg.WriteImage {
		how = os.O_RDWR
	}
	f, err := os.OpenFile(cfg.Image, how, 0)
	if err != nil {
		return nil, usagef("", "open disk image: %w", err)
	}
	sb := make([]byte, 256)
	if _, err := f.ReadAt(sb, ext4fs.SuperOffset); err != nil || !ext4fs.IsSuper(sb) {
		f.Close()
		return nil, usagef("make one with mkfs.ext4, or give a size to --disk", "%s is no ext4 image", cfg.Image)
	}
	return f, nil
}

// packShare makes an ext4 image of a folder, which every kernel that can run
// the guest can read.
func packShare(dir string) (*os.File, error) {
	size, files := int64(16<<20), int64(64)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		files++
		size += 4096
		if d.Type().IsRegular() {
			info, err := d.Info()
			if err != nil {
				return err
			}
			size += (info.Size() + 4095) &^ 4095
		}
		return nil
	})
	if err != nil {
		return nil, unfitf("", "read the folder to share: %w", err)
	}
	size += size / 8 // bitmaps and extent blocks
	size += files * 256
	f, err := mkfs(size&^4095, []string{"-b", "4096", "-m", "0", "-O", "^has_journal", "-N", itoa(files), "-d", dir})
	if err != nil && !worded(err) {
		return nil, unfitf("", "pack %s for the guest: %w", dir, err)
	}
	return f, err
}

// newGuestConfig words cfg for the guest.
func newGuestConfig(cfg *Config, disk *os.File) (*guestConfig, error) {
	gc := &guestConfig{
		Args: cfg.Args,
		Env: append([]string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root", "EXT4DIO_VM=1",
		}, cfg.Env...),
		TTY:     cfg.Terminal != nil,
		NoStdin: cfg.Stdin == nil,
		Mount:   !cfg.NoMount,
		Out:     cfg.Out != "",
		Share:   cfg.Share != "",
	}
	if gc.TTY {
		gc.StderrTo = !cfg.TerminalStderr
		gc.Size = terminalSize(cfg.Terminal)
	}
	if cfg.NullBlk == 0 {
		gc.DelayMS = cfg.Latency.Milliseconds()
		return gc, nil
	}
	var err error
	if gc.NullBlk, err = dataExtents(disk); err != nil {
		return nil, unfitf("", "read the prepared file system: %w", err)
	}
	return gc, nil
}

// dataExtents lists where a sparse file has data: offset and length in bytes.
func dataExtents(f *os.File) ([][2]int64, error) {
	var all [][2]int64
	for pos := int64(0); ; {
		start, err := unix.Seek(int(f.Fd()), pos, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if pos, err = unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE); err != nil {
			return nil, err
		}
		all = append(all, [2]int64{start, pos - start})
	}
}

// wantedModules names the modules that this run needs besides what is built in.
func wantedModules(cfg *Config) []string {
	wanted := append([]string(nil), guestModulesWanted...)
	if cfg.NullBlk > 0 {
		wanted = append(wanted, "null_blk")
	} else if cfg.Latency > 0 {
		wanted = append(wanted, "dm_mod", "dm_delay")
	}
	return append(append(wanted, cfg.MayLoad...), cfg.Modules...)
}

// addModules copies the modules that are needed into the archive and notes
// their order.
func addModules(c *cpioWriter, cfg *Config, gc *guestConfig) error {
	if cfg.Kernel.Modules == "" {
		return nil
	}
	set, err := newModuleSet(cfg.Kernel.Modules)
	if err != nil {
		return err
	}
	for _, name := range cfg.Modules {
		if set[strings.ReplaceAll(name, "-", "_")] == "" {
			return usagef("", "no module %s in %s", name, cfg.Kernel.Modules)
		}
	}
	mods, err := set.closure(wantedModules(cfg))
	if err != nil {
		return unfitf("", "%w", err)
	}
	for _, m := range mods {
		file := m.name + ".ko"
		c.Bytes(guestModules+"/"+file, 0o644, string(m.data))
		gc.Modules = append(gc.Modules, file)
	}
	return nil
}
