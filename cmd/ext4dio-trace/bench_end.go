package main

import (
	"fmt"
	"os"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/prove/bench"
)

// littleGain is the gain below which the way i_rwsem is held is not worth measuring:
// in the cover letter it is 6.8 in test 2.
const littleGain = 4

// noteFastDisk tells where differences of the lock cannot show.
func noteFastDisk(all []*bench.Report) {
	for _, rep := range all {
		if text := fastDisk(rep); text != "" {
			note(os.Stderr, "%s", text)
		}
	}
}

// fastDisk says why differences of the lock do not show in a report, and what to type
// instead; "" when they do, or when it is not known.
func fastDisk(rep *bench.Report) string {
	gain, ok := rep.MostGain()
	if !ok || gain >= littleGain {
		return ""
	}
	return fmt.Sprintf("%s: one writer alone keeps a CPU busy for %.0f%% of the time, so on this disk and %d CPUs differences of the lock do not show "+
		"beyond %.1fx; on a slow disk they do: %s vm --null-blk 512M --latency 5ms -- bench %s --dir /mnt --writes 128",
		rep.Test, min(100, 100*float64(rep.CPUs)/gain), rep.CPUs, max(1, gain), progName, rep.Test)
}

// benchStatus is the end of a run as an error: nil when all is well.
func benchStatus(all []*bench.Report) error {
	unproven := false
	for _, rep := range all {
		if n, first := rep.Wrong(); n > 0 {
			return &exit.Error{Code: exit.Disagree, Msg: fmt.Sprintf("%s: %d bytes are not what was written: %s", rep.Test, n, first)}
		}
		for _, s := range rep.Steps {
			if s.Traced == nil {
				continue
			}
			if s.Traced.Disagree > 0 {
				return &exit.Error{Code: exit.Disagree, Hint: progName + " live --only differs,unsafe,slower",
					Msg: fmt.Sprintf("%s: the model disagrees with %d of %d writes", rep.Test, s.Traced.Disagree, s.Traced.Seen)}
			}
			unproven = unproven || s.Traced.Unproven
		}
	}
	if unproven {
		return &exit.Error{Code: exit.Unproven, Msg: "records were lost, so the share of exclusive locks is not certain"}
	}
	return nil
}

// benchError turns an error of a run into what main exits with.
func benchError(err error) error {
	return writing{"bench all", "fewer --writes or --jobs, or another disk", ""}.failed(err)
}
