package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
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
