package export

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
)

// sampleJSON is of which requests a summary is.
type sampleJSON struct {
	record.Sample
	Made uint64 `json:"made"` // writes that the filters let through, in the sample or not: exact
}

func (s *Summary) sampleJSON() *sampleJSON {
	if s.Sample.OneIn == 0 {
		return nil
	}
	return &sampleJSON{s.Sample, s.made()}
}

// made is how many writes there were, in the sample or not.
func (s *Summary) made() uint64 { return s.Issued() + s.Losses.TooFast + s.Losses.NotSample }

// appendSample says that only a sample was seen, and what cannot be told from that.
func (s *Summary) appendSample(b *strings.Builder) {
	if s.Sample.OneIn == 0 {
		return
	}
	fmt.Fprintf(b, "sample:   %v: %d of %s; what follows is of these, and not scaled\n", s.Sample, s.Issued()+s.Losses.TooFast, Plural(s.made(), "write"))
	fmt.Fprintf(b, "          not looked at: what two writes do together (R2, R3 and R5 over two writes, ends of file, file positions)\n")
}
