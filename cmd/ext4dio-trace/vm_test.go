package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
)

func TestNamesDevice(t *testing.T) {
	for args, want := range map[string]bool{
		"live": false,
		"validate --device /dev/sda --destroy-data": true,
		"validate --device=/dev/sda":                true,
		"live -- prog --device x":                   false,
		"":                                          false,
	} {
		if got := namesDevice(strings.Fields(args)); got != want {
			t.Errorf("%q: got %v", args, got)
		}
	}
}

func TestVMSizes(t *testing.T) {
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	v := &vmFlags{disk: "64M", mem: "2G", nullBlk: "128M"}
	if err := v.sizes(); err != nil || v.cfg.Disk != 64<<20 || v.cfg.Memory != 2<<30 || v.cfg.NullBlk != 128<<20 || v.cfg.Image != "" {
		t.Errorf("got %+v, %v", v.cfg, err)
	}
	v = &vmFlags{disk: image, mem: "1G"}
	if err := v.sizes(); err != nil || v.cfg.Image != image {
		t.Errorf("image: got %+v, %v", v.cfg, err)
	}
	for _, v := range []*vmFlags{{disk: "2x", mem: "1G"}, {disk: "2G", mem: "much"}, {disk: "2G", mem: "1G", nullBlk: "-1"}} {
		if err := v.sizes(); err == nil {
			t.Errorf("%+v: no error", v)
		}
	}
}

func TestVMErrorShowsTheConsoleFirst(t *testing.T) {
	var b bytes.Buffer
	unfit := &hint.UnfitError{Msg: "panicked", Console: "[ 1.0] BUG"}
	if err := vmError(&b, 0, unfit); err != unfit || !strings.Contains(b.String(), "[ 1.0] BUG\n") {
		t.Errorf("got %v, printed %q", err, b.String())
	}
	var exit *exit.Error
	if err := vmError(&b, 7, nil); !errors.As(err, &exit) || exit.Code != 7 || exit.Msg != "" {
		t.Errorf("got %v", err)
	}
	if err := vmError(&b, 0, nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestNeededPrograms(t *testing.T) {
	if got := neededPrograms([]string{"live", "--device", "/dev/sda"}); got != nil {
		t.Errorf("live needs %v", got)
	}
	for _, name := range neededPrograms([]string{"validate", "--device", "/dev/sda"}) {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

// TestBisectLine: the line in docs/bisect.md tells git what its table says for each status.
func TestBisectLine(t *testing.T) {
	text, err := os.ReadFile("../../docs/bisect.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(string(text), "    git bisect run ")
	if !ok {
		t.Fatal("there is no such line")
	}
	line, _, _ = strings.Cut(line, "\n")
	dir := t.TempDir()
	for name, script := range map[string]string{"make": "exit $BUILD", "ext4dio-trace": "exit $STATUS"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tells := func(build, status int) string {
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), fmt.Sprintf("BUILD=%d", build), fmt.Sprintf("STATUS=%d", status))
		_ = cmd.Run() // its status is what counts
		switch code := cmd.ProcessState.ExitCode(); {
		case code == 0:
			return "good"
		case code == 125:
			return "skip"
		case code >= 1 && code <= 127:
			return "bad"
		}
		return "stop"
	}
	if got := tells(2, 0); got != "skip" {
		t.Errorf("a kernel that cannot be built: %s", got)
	}
	rows := regexp.MustCompile("(?m)^\\| (\\d+) \\| `(.*)` \\|.*\\| (\\w+) \\|$").FindAllStringSubmatch(string(text), -1)
	if len(rows) != 9 {
		t.Errorf("%d statuses", len(rows))
	}
	for _, row := range rows {
		status, _ := strconv.Atoi(row[1])
		if got := tells(0, status); got != row[3] || exit.Word(status) != row[2] {
			t.Errorf("status %d, %s: %s, the table says %s, %s", status, exit.Word(status), got, row[2], row[3])
		}
	}
	if got := tells(0, 130); got != "stop" {
		t.Errorf("ended by a signal: %s", got)
	}
}
