package target

import (
	"fmt"
	"slices"
	"strings"
)

// DefaultConfig is the configuration that is used when none is named.
const DefaultConfig = "4k"

// Config is one way to make and mount an ext4.
type Config struct {
	Name     string
	Sentence string   // what it is for
	Mkfs     []string // options of mkfs.ext4
	Mount    string   // mount options, separated by commas
	Needs    string   // what kernel, e2fsprogs or disk must have, may be empty
}

// Configs lists the configurations. Their names are those of kvm-xfstests; the
// options follow its own in purpose, not to the letter.
func Configs() []Config {
	return []Config{
		{"4k", "Blocks of 4 KiB: the default of mkfs.ext4.", opts("-b 4096"), "", ""},
		{"1k", "Blocks of 1 KiB: several blocks in a page.", opts("-b 1024"), "", ""},
		{
			"ext3", "An ext3 under ext4: block maps instead of extents, no delayed allocation.",
			opts("-b 4096 -O ^extents,^flex_bg,^uninit_bg,^64bit,^metadata_csum,^huge_file,^dir_nlink,^extra_isize"), "nodelalloc", "",
		},
		{
			"encrypt", "Every file encrypted with the test key; direct I/O where inline encryption is there.",
			opts("-b 4096 -O encrypt"), "test_dummy_encryption,inlinecrypt", "CONFIG_FS_ENCRYPTION_INLINE_CRYPT",
		},
		{"nojournal", "No journal.", opts("-b 4096 -O ^has_journal"), "", ""},
		{"ext3conv", "An ext3 converted to ext4: extents, but no flex_bg and no delayed allocation.", opts("-b 4096 -O ^flex_bg"), "nodelalloc", ""},
		{"adv", "Data in the inode and fast commits.", opts("-b 4096 -I 256 -O inline_data,fast_commit"), "", "Linux 5.10, e2fsprogs 1.46"},
		{"dioread_nolock", "Buffered writes allocate unwritten blocks.", opts("-b 4096"), "dioread_nolock", ""},
		{"data_journal", "Data goes through the journal: direct writes become buffered ones.", opts("-b 4096"), "data=journal", ""},
		{"bigalloc_4k", "Blocks of 4 KiB in clusters of 64 KiB.", opts("-b 4096 -O bigalloc"), "", ""},
		{"bigalloc_1k", "Blocks of 1 KiB in clusters of 16 KiB.", opts("-b 1024 -O bigalloc"), "", ""},
		{"inline_data", "Small files in the inode.", opts("-b 4096 -I 256 -O inline_data"), "", ""},
		{"64k", "Blocks of 64 KiB, larger than a page on most machines.", opts("-b 65536"), "", "pages of 64 KiB, or a kernel with large block sizes"},
		{"dax", "Files mapped from persistent memory, without a page cache.", opts("-b 4096"), "dax", "a pmem disk"},
	}
}

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
