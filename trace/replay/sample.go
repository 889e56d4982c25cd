package replay

import (
	"fmt"
	"io"

	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// Sampled says in one line that a recording has only a sample of the writes; empty when it was
// to have all.
func Sampled(in *tracefile.Recording) string {
	k, err := session.Recorded(in.Info())
	if err != nil || k.Plan.Sample.OneIn == 0 {
		return "" // who judges it says what is wrong with it
	}
	return fmt.Sprintf("only a sample was recorded, %v: what it does not have may have been done by other writes", k.Plan.Sample)
}

// SaySampled writes what Sampled says.
func SaySampled(w io.Writer, in *tracefile.Recording) {
	if text := Sampled(in); text != "" {
		fmt.Fprintf(w, "SAMPLE: %s\n", text)
	}
}
