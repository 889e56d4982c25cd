package export

import "testing"

func TestKernelDev(t *testing.T) {
	for stat, kernel := range map[uint64]uint32{0x801: 8<<20 | 1, 0xfd03: 253<<20 | 3} {
		if got := KernelDev(stat); got != kernel {
			t.Errorf("KernelDev(%#x) = %#x, want %#x", stat, got, kernel)
		}
	}
	// Minor numbers above 255 are split in two by stat.
	const major, minor = 259, 0x12345
	if got := KernelDev(major&0xfff<<8 | minor&0xff | minor&^0xff<<12); got != major<<20|minor {
		t.Errorf("KernelDev of %d:%d = %#x", major, minor, got)
	}
}
