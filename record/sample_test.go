package record

import "testing"

// TestSample: of many requests about one in N is taken, another seed takes others, the tries of
// one have the same fate, and so has an append wherever its first try left the position.
func TestSample(t *testing.T) {
	for _, n := range []uint32{2, 16, 1000} {
		s := Sample{OneIn: n, Seed: 7}
		other := Sample{OneIn: n, Seed: 8}
		taken, both := 0, 0
		const requests = 1 << 18
		for i := range uint64(requests) {
			ino, pos := 12+i%5, i/5*4096
			if !s.Takes(ino, pos, 4096, false) {
				continue
			}
			taken++
			if other.Takes(ino, pos, 4096, false) {
				both++
			}
		}
		want := requests / int(n)
		if taken < want*8/10-8 || taken > want*12/10+8 {
			t.Errorf("1/%d takes %d of %d", n, taken, requests)
		}
		if both > taken/int(n)*2+8 {
			t.Errorf("1/%d by two seeds: %d of %d are the same", n, both, taken)
		}
	}
	s := Sample{OneIn: 4, Seed: 1}
	for ino := range uint64(64) {
		if s.Takes(ino, 0, 512, true) != s.Takes(ino, 4096, 512, true) {
			t.Errorf("inode %d: an append is taken by its position", ino)
		}
	}
	if all := (Sample{}); !all.Takes(1, 2, 3, false) || all.Share() != 0 {
		t.Error("without a sample not all are taken")
	}
}

// TestParseSample: only 1/N is one, and 1/1 is all.
func TestParseSample(t *testing.T) {
	for text, want := range map[string]uint32{"1/64": 64, "1/1": 0, "1/4294967295": 1<<32 - 1} {
		if s, err := ParseSample(text); err != nil || s.OneIn != want {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "64", "2/3", "1/0", "1/-2", "1/x", "1/4294967296"} {
		if s, err := ParseSample(text); err == nil {
			t.Errorf("%q is %+v", text, s)
		}
	}
}

// Which requests a seed takes stays as it is: bpf/sample.h does the same sum.
func TestSampleStays(t *testing.T) {
	s := Sample{OneIn: 4, Seed: 3}
	taken := ""
	for i := range uint64(64) {
		c := byte('.')
		if s.Takes(12+i%3, i<<12, 4096, i%5 == 0) {
			c = 'x'
		}
		taken += string(c)
	}
	if want := "......x...xxx...x........x..............x.xxx..x.......x...x...x"; taken != want {
		t.Errorf("taken are\n%s, want\n%s", taken, want)
	}
}
