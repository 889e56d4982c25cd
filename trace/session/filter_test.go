package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/probes"
)

// The upper folder of an overlay is taken out of its options, with commas in its name.
func TestUpperFolder(t *testing.T) {
	for options, want := range map[string]string{
		"rw,lowerdir=/l1:/l2,upperdir=/u,workdir=/w": "/u",
		`rw,upperdir=/a\,b\\c,workdir=/w`:            `/a,b\c`,
		"rw,lowerdir=/l":                             "",
		"upperdir=/u":                                "/u",
	} {
		if got := upperFolder(options); got != want {
			t.Errorf("%s: %q, want %q", options, got, want)
		}
	}
}

// A cgroup goes by the name of its folder, of its unit, and by the id of its container.
func TestCalledSo(t *testing.T) {
	const id = "3f1d2c4b5a69788796a5b4c3d2e1f00f"
	for _, c := range []struct {
		folder, name string
		want         bool
	}{
		{"postgres.service", "postgres", true}, {"postgres.service", "postgres.service", true}, {"postgres.service", "postgre", false},
		{"user-1000.slice", "user-1000", true}, {"docker-" + id + ".scope", id, true}, {"docker-" + id + ".scope", id[:12], true},
		{id, id[:12], true}, {"docker-" + id + ".scope", id[:8], false}, {"libpod-aaaa", "libpod", false},
	} {
		if got := calledSo(c.folder, c.name); got != c.want {
			t.Errorf("%s by %s: %v", c.folder, c.name, got)
		}
	}
}

// What is certain to match nothing is wrong usage.
func TestCertainlyNothing(t *testing.T) {
	thread := make(chan int)
	go func() { thread <- unix.Gettid() }() // this one, or another one of this process
	if err := checkPid(uint32(os.Getpid())); err != nil {
		t.Error(err)
	}
	if tid := <-thread; tid != os.Getpid() {
		if err := checkPid(uint32(tid)); err == nil || !strings.Contains(err.Error(), "is a thread and no process") {
			t.Errorf("a thread: %v", err)
		}
	}
	for filter, want := range map[*Filter]string{
		{Pid: 1 << 22}:   "there is no such process",
		{Dev: "/proc"}:   "is on no ext4",
		{Path: "/proc"}:  "no ext4 is mounted below it",
		{Cgroup: "/dev"}: "--cgroup",
	} {
		if _, _, err := filter.Resolve(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", filter, err, want)
		}
	}
	if _, doubts, err := (&Filter{Dev: "0:1"}).Resolve(); err != nil || len(doubts) != 1 || doubts[0] != "no ext4 is mounted here from --dev 0:1 now" {
		t.Errorf("%v, %v", doubts, err)
	}
}

// A folder on ext4 stands for all below it, a file for itself.
func TestFolderPlace(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := stat("", dir)
	if err != nil {
		t.Fatal(err)
	}
	if !st.onExt4() {
		t.Skipf("%s is not on ext4; TestWhere of prove/matrix has one", dir)
	}
	out, _, err := (&Filter{Path: dir}).Resolve()
	if err != nil || len(out.Folders) != 1 || out.Folders[0] != st.id() || out.Ino != 0 {
		t.Errorf("a folder: %+v, %v", out, err)
	}
	of, err := stat("", file)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err = (&Filter{Path: file}).Resolve()
	if err != nil || out.Folders != nil || (probes.Folder{Dev: out.Dev, Ino: out.Ino}) != of.id() || !out.ByPath {
		t.Errorf("a file: %+v, %v", out, err)
	}
}
