package target

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseConfigs(t *testing.T) {
	names := func(cs []Config) string {
		var out []string
		for _, c := range cs {
			out = append(out, c.Name)
		}
		return strings.Join(out, " ")
	}
	for list, want := range map[string]string{
		"4k":           "4k",
		"ext3,1k,ext3": "ext3 1k",
		"all":          "4k 1k ext3 encrypt nojournal ext3conv adv dioread_nolock data_journal bigalloc_4k bigalloc_1k inline_data 64k dax",
	} {
		got, err := ParseConfigs(list)
		if err != nil || names(got) != want {
			t.Errorf("%s: got %s, %v; want %s", list, names(got), err, want)
		}
	}
	for _, list := range []string{"", "5k", "4k,", "4k, 1k"} {
		if got, err := ParseConfigs(list); err == nil {
			t.Errorf("%q: got %s", list, names(got))
		}
	}
}

func TestConfigHelpNamesEach(t *testing.T) {
	help := ConfigHelp()
	for _, c := range Configs() {
		if !strings.Contains(help, "\n"+c.Name+" ") && !strings.HasPrefix(help, c.Name+" ") {
			t.Errorf("%s is not listed", c.Name)
		}
		if !strings.HasSuffix(c.Sentence, ".") {
			t.Errorf("%s: %q is no sentence", c.Name, c.Sentence)
		}
	}
}

// mkfs.ext4 of this machine takes the options of every configuration, and e2fsck
// finds what it made clean.
func TestMkfsTakesTheOptions(t *testing.T) {
	if _, err := findProgram("mkfs.ext4"); err != nil {
		t.Skip(err)
	}
	for _, c := range Configs() {
		t.Run(c.Name, func(t *testing.T) {
			dev := fileDevice(t)
			if err := dev.make(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if got, err := readContent(dev.id, dev.Disk.Size); err != nil || got.Text != "an ext4 of an earlier run" {
				t.Errorf("it holds %+v, %v", got, err)
			}
			fsck, err := dev.fsck()
			if err != nil || !fsck.Clean {
				t.Errorf("e2fsck: %+v, %v", fsck, err)
			}
		})
	}
}

func TestMkfsRefusalIsNamed(t *testing.T) {
	if _, err := findProgram("mkfs.ext4"); err != nil {
		t.Skip(err)
	}
	err := fileDevice(t).mkfs(t.Context(), Config{Mkfs: opts("-O no_such_feature")})
	if _, ok := err.(*NotPossibleError); !ok || !strings.Contains(err.Error(), "mkfs.ext4 refuses it: ") || !strings.Contains(err.Error(), "no_such_feature") {
		t.Errorf("got %T %v", err, err)
	}
}

func TestFsckFindsDamage(t *testing.T) {
	if _, err := exec.LookPath("/usr/sbin/e2fsck"); err != nil {
		t.Skip(err)
	}
	dev := fileDevice(t)
	if err := dev.mkfs(t.Context(), Configs()[0]); err != nil {
		t.Fatal(err)
	}
	// The bitmaps and the inode table of the first group.
	if _, err := dev.file.WriteAt(make([]byte, 1<<20), 128<<10); err != nil {
		t.Fatal(err)
	}
	fsck, err := dev.fsck()
	if err != nil || fsck.Clean || fsck.Output == "" {
		t.Errorf("got %+v, %v", fsck, err)
	}
}

// fileDevice is a device that is a file, which mkfs and e2fsck do not mind.
func fileDevice(t *testing.T) *Device {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(MinSize); err != nil {
		t.Fatal(err)
	}
	again, err := os.OpenFile(f.Name(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	dev := &Device{Disk: &Disk{Path: f.Name(), Size: MinSize}, id: f, file: again}
	t.Cleanup(func() { _ = dev.Close() })
	return dev
}

// TestExt3IsOne looks at the superblock: an ext3 has no extents, a converted one has.
func TestExt3IsOne(t *testing.T) {
	for _, name := range []string{"mkfs.ext4", "tune2fs"} {
		if _, err := findProgram(name); err != nil {
			t.Skip(err)
		}
	}
	const incompat, extents, flexBG = 1024 + 0x60, 0x40, 0x200
	for list, want := range map[string]uint32{"ext3": 0, "ext3conv": extents, "4k": extents | flexBG} {
		configs, err := ParseConfigs(list)
		if err != nil {
			t.Fatal(err)
		}
		dev := fileDevice(t)
		if err := dev.make(t.Context(), configs[0]); err != nil {
			t.Fatal(err)
		}
		var b [4]byte
		if _, err := dev.id.ReadAt(b[:], incompat); err != nil {
			t.Fatal(err)
		}
		if got := binary.LittleEndian.Uint32(b[:]) & (extents | flexBG); got != want {
			t.Errorf("%s: features %#x, want %#x", list, got, want)
		}
	}
}
