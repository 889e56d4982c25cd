package kernelvm

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/internal/program"
)

func TestConfigCheck(t *testing.T) {
	good := func(change func(*Config)) error {
		c := Config{Args: []string{"live"}}.withDefaults()
		change(&c)
		return c.check()
	}
	if err := good(func(*Config) {}); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"no command":        func(c *Config) { c.Args = nil },
		"no CPU":            func(c *Config) { c.CPUs = -1 },
		"little memory":     func(c *Config) { c.Memory = 1 << 20 },
		"tiny disk":         func(c *Config) { c.Disk = 4096 },
		"big null_blk":      func(c *Config) { c.NullBlk = 4 << 30 },
		"odd latency":       func(c *Config) { c.Latency = 1500 * time.Microsecond },
		"negative latency":  func(c *Config) { c.Latency = -1 },
		"no image to write": func(c *Config) { c.WriteImage = true },
		"image and options": func(c *Config) { c.Image, c.Mkfs = "x", []string{"-F"} },
		"no share":          func(c *Config) { c.Share = "/none" },
	} {
		var usage *hint.UsageError
		if err := good(change); !errors.As(err, &usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMkfsAndExtents(t *testing.T) {
	if _, err := program.Find("mkfs.ext4"); err != nil {
		t.Skip("mkfs.ext4 is not installed")
	}
	f, err := mkfs(64<<20, []string{"-b", "1024"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	extents, err := dataExtents(f)
	if err != nil || len(extents) == 0 {
		t.Fatalf("got %v, %v", extents, err)
	}
	total := int64(0)
	for _, x := range extents {
		total += x[1]
	}
	if total >= 64<<20 {
		t.Logf("the file system of %s has no holes", os.TempDir())
	}
	_, err = makeDisk(&Config{Disk: 64 << 20, Mkfs: []string{"-O", "nonsense"}})
	var usage *hint.UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("wrong options: %v", err)
	}
	if _, err := makeDisk(&Config{Image: "/etc/passwd"}); !errors.As(err, &usage) {
		t.Errorf("no image: %v", err)
	}
}
