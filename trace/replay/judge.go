// Package replay judges recordings: all of one, any part of one, or as fast as one likes.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
	"github.com/ext4dio/ext4dio-trace/trace/session"
	"github.com/ext4dio/ext4dio-trace/trace/tracefile"
)

// ErrInterrupted says that not all of a recording was looked at, so that nothing is proven.
var ErrInterrupted = errors.New("interrupted")

// Judged is a recording that was judged to its end.
type Judged struct {
	session.Kernel
	In    *tracefile.Recording
	Judge *judge.Judge
}

// Settle finds out by which variant all of a recording is judged, auto or the name of one,
// so that its first write is judged as its last: what only a later write tells is known
// then. It leaves the recording at its beginning. What comes on a pipe can be read once
// only: there, verdicts are provisional until enough was seen.
func Settle(ctx context.Context, in *tracefile.Recording, k *session.Kernel, variant string) error {
	if in.Places() == 0 || variant != "" && variant != "auto" {
		return nil
	}
	j, err := k.Judge(variant, in.Doubt, nil)
	if err != nil {
		return err
	}
	d := j.Detector()
	err = each(ctx, in, func(raw []byte) bool {
		if !d.Settled() || record.StagesOf(raw).Has(record.StageCopy) { // only these tell more
			_ = j.Feed(raw) // counted in the pass that is to come
		}
		return !d.Learnt()
	})
	if err != nil {
		return err
	}
	j.Flush()
	k.Settled = d.Final()
	return in.Rewind()
}

// Judge judges all of a recording by a variant, auto or the name of one. What use returns
// for the kernel that was traced takes each write; it may set Held. There is no ring buffer behind it that
// has to be emptied in time, so that it is read where it is judged.
func Judge(ctx context.Context, in *tracefile.Recording, variant string, use func(*session.Kernel) session.Seen) (*Judged, error) {
	k, err := Kernel(ctx, in, variant)
	if err != nil {
		return nil, err
	}
	seen := use(&k)
	return JudgeAs(ctx, in, k, variant, seen)
}

// Kernel is what a recording tells of the kernel that was traced, its writes among it: see
// Settle.
func Kernel(ctx context.Context, in *tracefile.Recording, variant string) (session.Kernel, error) {
	k, err := session.Recorded(in.Info())
	if err == nil {
		err = Settle(ctx, in, &k, variant)
	}
	return k, err
}

// JudgeAs is Judge for a kernel that Kernel has told of.
func JudgeAs(ctx context.Context, in *tracefile.Recording, k session.Kernel, variant string, seen session.Seen) (*Judged, error) {
	j := &Judged{Kernel: k, In: in}
	var err error
	if j.Judge, err = k.Judge(variant, in.Doubt, seen); err != nil {
		return nil, err
	}
	return j, feed(ctx, in, j.Judge)
}

// feed judges all records of a recording.
func feed(ctx context.Context, in *tracefile.Recording, judge *judge.Judge) error {
	err := each(ctx, in, func(raw []byte) bool {
		_ = judge.Feed(raw) // the judge counts what it does not understand
		return true
	})
	if err == nil {
		judge.Flush()
	}
	return err
}

// each calls f with the records from where a recording stands on, until it returns false.
func each(ctx context.Context, in *tracefile.Recording, f func(raw []byte) bool) error {
	const often = 1 << 16
	for n := uint(0); ; n++ {
		if n%often == 0 && ctx.Err() != nil {
			return fmt.Errorf("%w before all of the trace was judged", ErrInterrupted)
		}
		raw, err := in.Next()
		switch {
		case errors.Is(err, record.ErrEnd):
			return nil
		case err != nil:
			return fmt.Errorf("read trace: %w", err)
		case !f(raw):
			return nil
		}
	}
}

// Account adds to a summary all but the totals: what was lost, what the judge counted, the
// variant and why it is that.
func (j *Judged) Account(s *export.Summary) error {
	losses, err := Losses(j.In)
	if err == nil {
		session.Account(s, &losses, j.Judge)
		session.Explain(s, j.Judge)
		s.Holders, s.Sample = j.Plan.Holders, j.Plan.Sample
		s.Elapsed = Length(j.In)
	}
	return err
}

// Losses is what a recording says that was lost.
func Losses(in *tracefile.Recording) (record.Losses, error) {
	losses, err := in.Losses()
	if err != nil {
		err = fmt.Errorf("read losses: %w", err)
	}
	return losses, err
}

// Length is from the beginning of a recording to the last write in it; 0 when it
// is not known.
func Length(t *tracefile.Recording) time.Duration {
	last := uint64(0)
	for _, p := range t.Parts() {
		if x := p.Index(); x != nil {
			last = max(last, x.Last)
		}
	}
	if began := t.Info().Monotonic; last > began {
		return time.Duration(last - began)
	}
	return 0
}

// Missing says in one line what could not be read of a recording; empty when it is whole.
func Missing(in *tracefile.Recording) string {
	if err := in.Missing(); err != nil {
		return export.SafeText(strings.Join(strings.Fields(err.Error()), " "))
	}
	return ""
}

// SayMissing says what could not be read of a recording, and reports whether there is such.
func SayMissing(w io.Writer, in *tracefile.Recording) bool {
	SayUnknown(w, in)
	text := Missing(in)
	if text != "" {
		fmt.Fprintf(w, "MISSING: %s\n", text)
	}
	return text != ""
}

// SayUnknown says what this version leaves out of a recording, as it does not know it.
func SayUnknown(w io.Writer, in *tracefile.Recording) {
	if n := in.Unknown(); n > 0 {
		fmt.Fprintf(w, "ext4dio-trace: %d records are of kinds that this version does not know; they are left out\n", n)
	}
	if n := in.Longer(); n > 0 {
		fmt.Fprintf(w, "ext4dio-trace: %d writes have fields that this version does not know; the rest of them is read\n", n)
	}
}
