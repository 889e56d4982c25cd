package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// missingFolders are those that MkdirAll makes, the outermost first.
func missingFolders(path string) []string {
	var out []string
	for dir := filepath.Clean(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return out
		}
		out = slices.Insert(out, 0, dir)
	}
}

// create makes one file in the folder. It replaces none.
func (o *exportOutput) create(name string) (io.WriteCloser, error) {
	path := filepath.Join(o.dir, name)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, usagef("-o with a new folder", "cannot export: %s is there already", path)
	case err != nil:
		return nil, err
	}
	o.files = append(o.files, name)
	o.made = append(o.made, path)
	return file, nil
}

// taken reports whether the folder has a file of that name.
func (o *exportOutput) taken(name string) bool {
	_, err := os.Lstat(filepath.Join(o.dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// name is where to look.
func (o *exportOutput) name() string {
	switch few := 2; {
	case o.dir == "":
		return o.file.Name()
	case len(o.files) > few:
		return o.dir
	}
	return o.dir + ": " + strings.Join(o.files, ", ")
}
