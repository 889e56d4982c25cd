package kernelvm

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// guestModulesWanted are the modules that every guest gets when its kernel does
// not have them built in, in the order in which they are wanted. The crc32c
// ones are a soft dependency of ext4 and jbd2 until Linux 6.14.
var guestModulesWanted = []string{
	"virtio_pci", "virtio_scsi", "sd_mod", "crc32c_generic", "crc32c_intel", "ext4", "loop",
}

// guestModulesExtra are the modules that some runs need besides.
var guestModulesExtra = []string{"dm_mod", "dm_delay", "null_blk"}

// findModules finds the folder that holds a kernel's modules: dir itself, or
// the only version below dir/lib/modules.
func findModules(dir string) (string, error) {
	if !isDir(dir) {
		return "", usagef("give the folder that make modules_install made, or lib/modules/VERSION", "%s is no folder", dir)
	}
	for _, below := range []string{"lib/modules/*", "*"} {
		found, _ := filepath.Glob(filepath.Join(dir, below, "kernel"))
		if len(found) == 1 {
			return filepath.Dir(found[0]), nil
		}
		if len(found) > 1 {
			return "", usagef("give one of them, such as "+filepath.Dir(found[0]), "%s has the modules of %d kernels", dir, len(found))
		}
	}
	return dir, nil
}

// moduleSet holds the paths of the module files of one kernel by the names of the
// modules, which have underscores.
type moduleSet map[string]string

// moduleName is a module's name for its file, "" when it is none.
func moduleName(file string) string {
	base := filepath.Base(file)
	for _, ext := range []string{".ko", ".ko.xz", ".ko.zst", ".ko.gz"} {
		if name, ok := strings.CutSuffix(base, ext); ok {
			return strings.ReplaceAll(name, "-", "_")
		}
	}
	return ""
}

// newModuleSet looks through a folder of modules.
func newModuleSet(dir string) (moduleSet, error) {
	s := moduleSet{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := moduleName(path)
		// Of two files of one module, the one without compression saves time.
		if name != "" && d.Type().IsRegular() && filepath.Ext(s[name]) != ".ko" {
			s[name] = path
		}
		return nil
	})
	if err != nil {
		return nil, unfitf("", "list modules: %w", err)
	}
	return s, nil
}

// expand replaces the compressed files of modules that guests load by plain ones,
// which saves a second at every start.
func (s moduleSet) expand(wanted []string) error {
	mods, err := s.closure(wanted)
	if err != nil {
		return err
	}
	for _, m := range mods {
		old := s[m.name]
		if filepath.Ext(old) == ".ko" {
			continue
		}
		plain := strings.TrimSuffix(old, filepath.Ext(old))
		if err := writeFile(plain, bytes.NewReader(m.data)); err != nil {
			return err
		}
		if err := os.Remove(old); err != nil {
			return err
		}
		s[m.name] = plain
	}
	return nil
}

// module is one module, ready to be loaded.
type module struct {
	name string
	data []byte // the ELF file, decompressed
}

// closure returns the wanted modules with all that they depend on, dependencies
// first, each once. A name that is no module file is taken to be built in.
func (s moduleSet) closure(wanted []string) ([]module, error) {
	var all []module
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		name = strings.ReplaceAll(name, "-", "_")
		if seen[name] || s[name] == "" {
			return nil
		}
		seen[name] = true
		data, err := readModule(s[name])
		if err != nil {
			return fmt.Errorf("read module %s: %w", name, err)
		}
		depends, err := moduleDepends(data)
		if err != nil {
			return fmt.Errorf("read module %s: %w", name, err)
		}
		for _, dep := range depends {
			if err := add(dep); err != nil {
				return err
			}
		}
		all = append(all, module{name, data})
		return nil
	}
	for _, name := range wanted {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readModule reads and decompresses a module file.
func readModule(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := decompress(filepath.Ext(file), f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// moduleDepends reads the names in a module's "depends" and in the "pre" part of
// its "softdep", from its .modinfo section: strings that end in NUL.
func moduleDepends(data []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	sec := f.Section(".modinfo")
	if sec == nil {
		return nil, errors.New("no .modinfo: not a kernel module")
	}
	raw, err := sec.Data()
	if err != nil {
		return nil, err
	}
	var names []string
	for field := range strings.SplitSeq(string(raw), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok && list != "" {
			names = append(names, strings.Split(list, ",")...)
		}
		if list, ok := strings.CutPrefix(field, "softdep="); ok {
			pre := false
			for _, word := range strings.Fields(list) {
				if strings.HasSuffix(word, ":") {
					pre = word == "pre:"
				} else if pre {
					names = append(names, word)
				}
			}
		}
	}
	return slices.Compact(names), nil
}
