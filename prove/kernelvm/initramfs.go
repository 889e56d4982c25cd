package kernelvm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// buildInitramfs makes the guest's first file system, in memory.
func buildInitramfs(cfg *Config, gc *guestConfig) (*os.File, error) {
	f, err := memoryFile("ext4dio-initramfs")
	if err != nil {
		return nil, err
	}
	if err := fillInitramfs(newCPIOWriter(f), cfg, gc); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func fillInitramfs(c *cpioWriter, cfg *Config, gc *guestConfig) error {
	c.mergeUsr()
	for _, dir := range []string{"dev", "etc", "mnt", "out", "proc", "root", "run", "share", "sys", "tmp", "var/tmp"} {
		c.Dir(dir)
	}
	// The kernel opens the console before it runs init.
	c.Char("dev/console", 0o600, 5, 1)
	c.Char("dev/null", 0o666, 1, 3)
	c.Bytes("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
	c.Bytes("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n")
	c.Bytes("etc/hostname", 0o644, "ext4dio\n")
	self, err := os.Executable()
	if err != nil {
		return unfitf("", "find this program: %w", err)
	}
	libs := newLibraryFinder()
	if err := addProgram(c, libs, self, guestBinary); err != nil {
		return err
	}
	for _, name := range cfg.Programs {
		host, err := program.Find(name)
		if err == nil {
			host, err = filepath.Abs(host)
		}
		if err != nil {
			return usagef("--bin takes a program's name or path", "no program %s to copy into the guest", name)
		}
		if err := addProgram(c, libs, host, host); err != nil {
			return err
		}
	}
	if err := addCommand(c, libs, cfg); err != nil {
		return err
	}
	c.Symlink("init", guestBinary)
	if err := addModules(c, cfg, gc); err != nil {
		return err
	}
	raw, err := json.Marshal(gc)
	if err != nil {
		return fmt.Errorf("encode guest configuration: %w", err)
	}
	c.Bytes(guestConfigPath, 0o644, string(raw))
	return c.Close()
}

// addCommand adds what the program behind a "--" in the arguments needs: the
// program itself when it is one of the host, or the libraries of one in the
// shared folder. A program that is not found may yet be there in the guest.
func addCommand(c *cpioWriter, libs *libraryFinder, cfg *Config) error {
	at := slices.Index(cfg.Args, "--")
	if at < 0 || at+1 >= len(cfg.Args) {
		return nil
	}
	name := cfg.Args[at+1]
	if rest, ok := strings.CutPrefix(name, guestShare+"/"); ok && cfg.Share != "" {
		files, err := libs.closure(filepath.Join(cfg.Share, rest))
		if err != nil {
			return nil // the guest will say what is wrong with it
		}
		return addLibraries(c, files[1:])
	}
	if filepath.Base(name) == filepath.Base(guestBinary) || c.Has(name) {
		return nil
	}
	host, err := program.Find(name)
	if err != nil || !filepath.IsAbs(host) {
		return nil
	}
	return addProgram(c, libs, host, host)
}
