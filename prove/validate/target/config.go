package target

import (
	"fmt"
	"slices"
	"strings"
)

// DefaultConfigs are used when none is named. Without extents and delayed
// allocation there are paths that the other one does not have: the buffered
// fallback, and inodes whose data is journalled.
const DefaultConfigs = "4k,ext3"

// Config is one way to make and mount an ext4.
type Config struct {
	Name     string
	Sentence string   // what it is for
	Mkfs     []string // options of mkfs.ext4
	Tune     []string // options of tune2fs afterwards, may be empty
	Mount    string   // mount options, separated by commas
	Needs    string   // what kernel, e2fsprogs or disk must have, may be empty
}

// Configs lists the configurations. Their names are those of kvm-xfstests; the
// options follow its own in purpose, not to the letter: ext3 and ext3conv are made as
// an ext3 is, and ext3conv is then really converted, where kvm-xfstests makes an ext4
// without flex_bg; encrypt leaves encryption to the block layer, as there is no direct
// I/O before Linux 7.3 otherwise.
func Configs() []Config {
	return []Config{
		{Name: "4k", Sentence: "Blocks of 4 KiB: the default of mkfs.ext4.", Mkfs: opts("-b 4096")},
		{Name: "1k", Sentence: "Blocks of 1 KiB: several blocks in a page.", Mkfs: opts("-b 1024")},
		{
			Name: "ext3", Sentence: "An ext3: block maps instead of extents, no delayed allocation.",
			Mkfs: opts("-t ext3 -b 4096"), Mount: "nodelalloc",
		},
		{
			Name: "encrypt", Sentence: "Every file encrypted with the test key; direct I/O where inline encryption is there.",
			Mkfs: opts("-b 4096 -O encrypt"), Mount: "test_dummy_encryption,inlinecrypt",
			Needs: "CONFIG_FS_ENCRYPTION, and the modules xts, cts and sha512",
		},
		{Name: "nojournal", Sentence: "No journal.", Mkfs: opts("-b 4096 -O ^has_journal")},
		{
			Name: "ext3conv", Sentence: "An ext3 converted to ext4: new files have extents, what was there before has block maps.",
			Mkfs: opts("-t ext3 -b 4096"), Tune: opts("-O extents"), Mount: "nodelalloc",
		},
		{
			Name: "adv", Sentence: "Data in the inode and fast commits.",
			Mkfs: opts("-b 4096 -I 256 -O inline_data,fast_commit"), Needs: "Linux 5.10, e2fsprogs 1.46",
		},
		{Name: "dioread_nolock", Sentence: "Buffered writes allocate unwritten blocks.", Mkfs: opts("-b 4096"), Mount: "dioread_nolock"},
		{
			Name: "data_journal", Sentence: "Data goes through the journal: direct writes become buffered ones.",
			Mkfs: opts("-b 4096"), Mount: "data=journal",
		},
		{Name: "bigalloc_4k", Sentence: "Blocks of 4 KiB in clusters of 64 KiB.", Mkfs: opts("-b 4096 -O bigalloc")},
		{Name: "bigalloc_1k", Sentence: "Blocks of 1 KiB in clusters of 16 KiB.", Mkfs: opts("-b 1024 -O bigalloc")},
		{Name: "inline_data", Sentence: "Small files in the inode.", Mkfs: opts("-b 4096 -I 256 -O inline_data")},
		{
			Name: "64k", Sentence: "Blocks of 64 KiB, larger than a page on most machines.",
			Mkfs: opts("-b 65536"), Needs: "pages of 64 KiB, or large block sizes and CONFIG_TRANSPARENT_HUGEPAGE",
		},
		{
			Name: "dax", Sentence: "Files mapped from persistent memory, without a page cache.",
			Mkfs: opts("-b 4096"), Mount: "dax", Needs: "a pmem disk",
		},
	}
}

// Default is the configuration on which the most can be seen.
func Default() Config { return Configs()[0] }

func opts(s string) []string { return strings.Fields(s) }

// ConfigNames lists the names in the order of Configs.
func ConfigNames() []string {
	var names []string
	for _, c := range Configs() {
		names = append(names, c.Name)
	}
	return names
}

// ParseConfigs reads "all" or names separated by commas. A name that is given
// twice counts once.
func ParseConfigs(list string) ([]Config, error) {
	all := Configs()
	if list == "all" {
		return all, nil
	}
	var out []Config
	for name := range strings.SplitSeq(list, ",") {
		is := func(c Config) bool { return c.Name == name }
		at := slices.IndexFunc(all, is)
		if at < 0 {
			return nil, fmt.Errorf("unknown configuration %q", name)
		}
		if !slices.ContainsFunc(out, is) {
			out = append(out, all[at])
		}
	}
	return out, nil
}

// ConfigHelp is a table of the configurations for people.
func ConfigHelp() string {
	var b strings.Builder
	for _, c := range Configs() {
		fmt.Fprintf(&b, "%-15s %s\n", c.Name, c.Sentence)
		line := "mkfs.ext4 " + strings.Join(c.Mkfs, " ")
		if len(c.Tune) > 0 {
			line += "; tune2fs " + strings.Join(c.Tune, " ")
		}
		if c.Mount != "" {
			line += "; mount -o " + c.Mount
		}
		fmt.Fprintf(&b, "%-15s %s\n", "", line)
		if c.Needs != "" {
			fmt.Fprintf(&b, "%-15s needs %s\n", "", c.Needs)
		}
	}
	return b.String()
}
