package target

import (
	"bytes"
	"testing"
)

func TestReadContent(t *testing.T) {
	const size = 1 << 20
	for _, c := range []struct {
		name string
		want Content
		put  map[int]string
	}{
		{"empty", Content{"nothing known", false}, nil},
		{"ext4", Content{"an ext4 without a name", false}, map[int]string{1080: "\x53\xef"}},
		{"named", Content{`an ext4 named "photos"`, false}, map[int]string{1080: "\x53\xef", 1144: "photos"}},
		{"ours", Content{"an ext4 of an earlier run", false}, map[int]string{1080: "\x53\xef", 1144: label}},
		{"GPT", Content{"a GUID partition table", true}, map[int]string{512: "EFI PART", 510: "\x55\xaa"}},
		{"GPT at the end", Content{"a GUID partition table", true}, map[int]string{size - 512: "EFI PART"}},
		{"MBR", Content{"a partition table", true}, map[int]string{510: "\x55\xaa"}},
		{"LVM", Content{"an LVM volume", true}, map[int]string{512: "LABELONE"}},
		{"md over ext4", Content{"a part of an md array", true}, map[int]string{1080: "\x53\xef", size - 65536: "\xfc\x4e\x2b\xa9"}},
		{"LUKS", Content{"LUKS encryption", true}, map[int]string{0: "LUKS\xba\xbe"}},
		{"XFS", Content{"an XFS", true}, map[int]string{0: "XFSB"}},
		{"Btrfs", Content{"a Btrfs", true}, map[int]string{65600: "_BHRfS_M"}},
		{"swap", Content{"swap", true}, map[int]string{4086: "SWAPSPACE2"}},
	} {
		disk := make([]byte, size)
		for at, s := range c.put {
			copy(disk[at:], s)
		}
		got, err := readContent(bytes.NewReader(disk), size)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}
