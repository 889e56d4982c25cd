package kernelvm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads a size in bytes: a whole number with K, M, G or T for powers
// of 1024, optionally followed by iB or B. Without a unit it is bytes.
func ParseSize(s string) (int64, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	text = strings.TrimSuffix(strings.TrimSuffix(text, "B"), "I")
	shift := 0
	if n := len(text); n > 0 {
		if at := strings.IndexByte("KMGT", text[n-1]); at >= 0 {
			shift, text = 10*(at+1), text[:n-1]
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 || v > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size, such as 512M or 2G", s)
	}
	return v << shift, nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
