package record

import (
	"fmt"
	"strconv"
	"strings"
)

// Sample says which requests of many are recorded. The zero value is all.
type Sample struct {
	OneIn uint32 `json:"one_in"`
	Seed  uint64 `json:"seed"`
}

// ParseSample reads "1/N".
func ParseSample(text string) (Sample, error) {
	of, ok := strings.CutPrefix(text, "1/")
	n, err := strconv.ParseUint(of, 10, 32)
	if !ok || err != nil || n == 0 {
		return Sample{}, fmt.Errorf("%q is not 1/N, such as 1/64", text)
	}
	if n == 1 {
		return Sample{}, nil
	}
	return Sample{OneIn: uint32(n)}, nil
}

// Share is how many of 2^32 requests are taken; 0 for all.
func (s Sample) Share() uint64 {
	if s.OneIn == 0 {
		return 0
	}
	return max((1<<32)/uint64(s.OneIn), 1)
}

// Takes reports whether a write is in the sample, as sampled() of bpf/sample.h.
func (s Sample) Takes(ino, pos, size uint64, appends bool) bool {
	sum := (s.Seed ^ ino) * 0x9e3779b97f4a7c15
	sum ^= sum >> 29
	if !appends {
		sum += pos
	}
	sum *= 0xbf58476d1ce4e5b9
	sum ^= sum >> 32
	sum += size
	sum *= 0x94d049bb133111eb
	return s.OneIn == 0 || sum>>32 < s.Share()
}

func (s Sample) String() string {
	return fmt.Sprintf("1/%d of the requests, by seed %d", s.OneIn, s.Seed)
}
