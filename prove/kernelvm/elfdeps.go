package kernelvm

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ext4dio/ext4dio-trace/internal/program"
)

// libraryFinder finds shared libraries as the dynamic linker does (ld.so(8)),
// without running anything: a program in a shared folder is for the guest alone, and
// mapping it, as ldd does, would already give it a hold on the host.
type libraryFinder struct {
	dirs []string // those of the linker's index, then the defaults
}

// newLibraryFinder reads the linker's index. A machine without ldconfig has none, and
// its linker looks only where it is told and in the default folders.
func newLibraryFinder() *libraryFinder {
	l := &libraryFinder{}
	if ldconfig, err := program.Find("ldconfig"); err == nil {
		index, _ := exec.Command(ldconfig, "-p").Output()
		l.read(string(index))
	}
	l.dirs = append(l.dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
	return l
}

// read adds the folders of an index, each line of which says "NAME (…) => FILE". Those
// for some CPUs only are left out: the guest's may be another.
func (l *libraryFinder) read(index string) {
	for line := range strings.Lines(index) {
		about, file, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if dir := filepath.Dir(file); ok && !strings.Contains(about, "hwcap") && !slices.Contains(l.dirs, dir) {
			l.dirs = append(l.dirs, dir)
		}
	}
}

// elfFacts are the parts of an ELF file that loading it depends on.
type elfFacts struct {
	machine elf.Machine
	interp  string   // the dynamic linker, "" for a static program or a library
	needed  []string // names of libraries
	runpath []string // folders
}

func readELF(file string) (*elfFacts, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	facts := &elfFacts{machine: f.Machine}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < 4096 {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil {
				return nil, err
			}
			facts.interp = strings.TrimRight(string(b), "\x00")
		}
	}
	if facts.needed, err = f.ImportedLibraries(); err != nil {
		return nil, err
	}
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		paths, err := f.DynString(tag)
		if err != nil {
			continue // no such entry
		}
		for _, p := range paths {
			p = strings.NewReplacer("$ORIGIN", filepath.Dir(file), "${ORIGIN}", filepath.Dir(file)).Replace(p)
			facts.runpath = append(facts.runpath, strings.Split(p, ":")...)
		}
	}
	return facts, nil
}

// find returns the file of the library name that a program needs.
func (l *libraryFinder) find(name string, of *elfFacts) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range slices.Concat(of.runpath, l.dirs) {
		file := filepath.Join(dir, name)
		if lib, err := readELF(file); err == nil && lib.machine == of.machine {
			return file, nil
		}
	}
	return "", fmt.Errorf("find library %s: %w", name, os.ErrNotExist)
}

// closure lists file and everything that is needed to run it: its interpreter
// and all shared libraries, each once.
func (l *libraryFinder) closure(file string) ([]string, error) {
	files := []string{file}
	for n := 0; n < len(files); n++ {
		var more []string
		facts, err := readELF(files[n])
		switch {
		case err == nil:
			for _, name := range facts.needed {
				lib, err := l.find(name, facts)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", files[n], err)
				}
				more = append(more, lib)
			}
			if facts.interp != "" {
				more = append(more, facts.interp)
			}
		case n == 0:
			if more, err = scriptInterpreter(file); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("read %s: %w", files[n], err)
		}
		for _, m := range more {
			if !slices.Contains(files, m) {
				files = append(files, m)
			}
		}
	}
	return files, nil
}

// scriptInterpreter is the program that a script names in its first line.
func scriptInterpreter(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	words := strings.Fields(strings.TrimPrefix(line, "#!"))
	if err != nil || !strings.HasPrefix(line, "#!") || len(words) == 0 {
		return nil, errors.New("neither an ELF program nor a script")
	}
	return words[:1], nil
}

// addProgram copies the host's program into the archive as name, with
// everything that is needed to run it at the host's own paths.
func addProgram(c *cpioWriter, l *libraryFinder, host, name string) error {
	files, err := l.closure(host)
	if err != nil {
		return usagef("only programs of this machine can be copied", "copy %s into the guest: %w", host, err)
	}
	if err := addFile(c, host, name); err != nil {
		return err
	}
	return addLibraries(c, files[1:])
}

// addLibraries copies libraries to the paths that they have here, with the
// linker's index so that it finds them there.
func addLibraries(c *cpioWriter, files []string) error {
	const index = "/etc/ld.so.cache"
	if _, err := os.Stat(index); err == nil && len(files) > 0 {
		files = append([]string{index}, files...)
	}
	for _, file := range files {
		if err := addFile(c, file, file); err != nil {
			return err
		}
	}
	return nil
}

// addFile copies a file of the host into the archive, following links.
func addFile(c *cpioWriter, host, name string) error {
	if c.Has(name) {
		return nil
	}
	f, err := os.Open(host)
	if err != nil {
		return unfitf("", "copy into the guest: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return unfitf("", "copy into the guest: %w", err)
	}
	c.File(name, uint32(st.Mode().Perm()), st.Size(), f)
	return c.err
}
