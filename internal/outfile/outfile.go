// Package outfile is where the files are written that flags name: whole or not at all where
// that can be, through links, and straight into what is no regular file. Before anything is
// read it says what cannot be written, and what must not be.
package outfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

// Stdout is the name of standard output.
const Stdout = "-"

// Out is a file that a flag names. Without a flag it is standard output that has something
// else already; without a path it is not wanted.
type Out struct{ Flag, Path string }

// Check refuses what Write could not write, what would overwrite an input, and two outputs
// that are one file. Inputs that are not there are left to whoever reads them.
func Check(inputs []string, outs ...Out) error {
	outs = slices.DeleteFunc(outs, func(o Out) bool { return o.Path == "" })
	for i, o := range outs {
		if err := o.check(inputs); err != nil {
			return err
		}
		for _, other := range outs[:i] {
			if err := o.apart(other); err != nil {
				return err
			}
		}
	}
	return nil
}

// check looks at one output by itself.
func (o Out) check(inputs []string) error {
	if o.Path == Stdout {
		return nil
	}
	st, err := os.Stat(o.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return o.checkFolder(filepath.Dir(follow(o.Path)))
	case errors.Is(err, fs.ErrPermission):
		return o.refuse("%s %s: permission denied", o.Flag, o.Path)
	case err != nil:
		return o.refuse("%s %s: %v", o.Flag, o.Path, reason(err))
	case st.IsDir():
		return hint.Usagef(o.Flag+" "+filepath.Join(o.Path, "NAME"), "%s is a folder", o.Path)
	case st.Mode()&fs.ModeSocket != 0:
		return o.refuse("%s is a socket", o.Path)
	case isBlock(st):
		return o.refuse("%s is a block device", o.Path)
	}
	for _, path := range inputs {
		if in := statOf(path, os.Stdin); in != nil && in.Mode().IsRegular() && os.SameFile(in, st) {
			return hint.Usagef(o.Flag+" another name", "%s %s would overwrite %s, which is read", o.Flag, o.Path, path)
		}
	}
	if !writable(o.Path) && !(st.Mode().IsRegular() && writable(filepath.Dir(follow(o.Path)))) {
		return o.refuse("%s %s: permission denied", o.Flag, o.Path)
	}
	return nil
}

// checkFolder looks at the folder of a file that is not there yet.
func (o Out) checkFolder(dir string) error {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.Usagef("mkdir -p "+hint.Words(dir), "%s %s: the folder %s is not there", o.Flag, o.Path, dir)
	case err != nil:
		return o.refuse("%s %s: %v", o.Flag, o.Path, reason(err))
	case !st.IsDir():
		return o.refuse("%s %s: %s is no folder", o.Flag, o.Path, dir)
	case !writable(dir):
		return o.refuse("%s %s: permission denied", o.Flag, o.Path)
	}
	return nil
}

// apart refuses two outputs of which one would take the place of the other. Both may go to
// a terminal or /dev/null.
func (o Out) apart(other Out) error {
	if other.Flag == "" {
		o, other = other, o
	}
	if !o.same(other) {
		return nil
	}
	if o.Flag == "" {
		return other.refuse("%s %s: standard output has something else", other.Flag, other.Path)
	}
	return hint.Usagef(o.Flag+" another name", "%s %s and %s %s are the same file", other.Flag, other.Path, o.Flag, o.Path)
}

func (o Out) same(other Out) bool {
	if o.Path == Stdout && other.Path == Stdout {
		return true
	}
	a, b := statOf(o.Path, os.Stdout), statOf(other.Path, os.Stdout)
	if a != nil && b != nil {
		return os.SameFile(a, b) && a.Mode()&fs.ModeCharDevice == 0
	}
	return a == nil && b == nil && absolute(o.Path) == absolute(other.Path)
}

func (o Out) refuse(format string, args ...any) error {
	return hint.Usagef(o.Flag+" another name", format, args...)
}

// Write has a file written, which is there only when it is whole; an older one stays until
// then. What is no regular file, or one in a folder that nothing can be made in, is written
// into.
func (o Out) Write(write func(io.Writer) error) error {
	st, err := os.Stat(o.Path)
	switch to := standard(o.Path, st); {
	case to != nil:
		return write(to)
	case err == nil && !st.Mode().IsRegular():
		return o.failed(o.into(0, write))
	}
	path := follow(o.Path)
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ext4dio-*")
	if err != nil && st != nil {
		return o.failed(o.into(os.O_TRUNC, write))
	}
	if err != nil {
		return o.failed(err)
	}
	mode := fs.FileMode(0o644)
	if st != nil {
		mode = st.Mode().Perm()
	}
	err = errors.Join(write(tmp), tmp.Chmod(mode), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // the first error counts
	}
	return o.failed(err)
}

// into writes into what is there.
func (o Out) into(how int, write func(io.Writer) error) error {
	to, err := os.OpenFile(o.Path, os.O_WRONLY|how, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(to), to.Close())
}

// failed words an error of writing. That of a disk says what to do.
func (o Out) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return hint.Usagef(o.Flag+" another name", "cannot write %s: %w", o.Path, reason(err))
	case errors.Is(err, syscall.EPIPE):
		return err
	}
	return hint.Unfitf(o.Flag+" another name, where there is room", "cannot write %s: %w", o.Path, reason(err))
}

// reason is an error without the operation and the name, which may be of a file that is none
// of the user's.
func reason(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// standard is standard output or error when the path names one of them, as /dev/stdout does,
// else nil: a rename would take the file away from whoever redirected it.
func standard(path string, st fs.FileInfo) *os.File {
	if path == Stdout {
		return os.Stdout
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if to, err := f.Stat(); err == nil && st != nil && os.SameFile(to, st) {
			return f
		}
	}
	return nil
}

// follow is where the last part of a path leads, which need not be there.
func follow(path string) string {
	for range 40 { // as the kernel does
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}

// absolute is a path of which the folder is there, without links in it.
func absolute(path string) string {
	path = follow(path)
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return filepath.Clean(path)
	}
	dir, _ = filepath.Abs(dir) // without a working folder the names alone count
	return filepath.Join(dir, filepath.Base(path))
}

// statOf is what a path is, std for "-"; nil for nothing.
func statOf(path string, std *os.File) fs.FileInfo {
	st, err := os.Stat(path)
	if path == Stdout {
		st, err = std.Stat()
	}
	if err != nil {
		return nil
	}
	return st
}

func writable(path string) bool { return syscall.Access(path, 2) == nil }

func isBlock(st fs.FileInfo) bool {
	return st.Mode()&fs.ModeDevice != 0 && st.Mode()&fs.ModeCharDevice == 0
}
