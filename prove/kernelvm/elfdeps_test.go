package kernelvm

import (
	"slices"
	"strings"
	"testing"
)

func TestClosureOfAProgram(t *testing.T) {
	files, err := newLibraryFinder("/etc/ld.so.conf").closure("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 3 || !slices.ContainsFunc(files, func(f string) bool { return strings.Contains(f, "libc.so") }) {
		t.Errorf("got %v", files)
	}
	script := write(t, t.TempDir(), "script", "#! /bin/sh -e\ntrue\n")
	if got, err := newLibraryFinder("/etc/ld.so.conf").closure(script); err != nil || got[0] != script || got[1] != "/bin/sh" || len(got) != len(files)+1 {
		t.Errorf("script: got %v, %v", got, err)
	}
	if _, err := newLibraryFinder("/none").closure(write(t, t.TempDir(), "text", "hello")); err == nil {
		t.Error("a text is no program")
	}
}

func TestLibraryFinderReadsConfiguration(t *testing.T) {
	dir := t.TempDir()
	conf := write(t, dir, "ld.so.conf", "# libs\n/opt/a # first\ninclude conf.d/*.conf\ninclude "+dir+"/ld.so.conf\n")
	write(t, dir, "conf.d/1.conf", "/opt/b\n")
	l := newLibraryFinder(conf)
	if len(l.dirs) < 2 || l.dirs[0] != "/opt/a" || l.dirs[1] != "/opt/b" {
		t.Errorf("got %v", l.dirs)
	}
}
