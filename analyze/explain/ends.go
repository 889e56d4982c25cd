package explain

import (
	"fmt"
	"slices"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const (
	entersDio      = "iomap_dio_rw entered"
	entersBuffered = "ext4_buffered_write_iter entered"
)

// observedEnd is where o came to, or what ended it before it was written.
func observedEnd(o *observe.Observation) string {
	if at, refused := o.Refused(); refused {
		return "refused: " + at.Refusal()
	}
	if at, failed := o.Failed(); failed {
		return fmt.Sprintf("%s at %s", export.Result(o.Ret), at)
	}
	switch {
	case o.Dio:
		return entersDio
	case o.Buffered != nil:
		return entersBuffered
	}
	return o.Ends()
}

// expectedEnd is the same of the decision that a verdict rests on. Where nothing of the end
// differs, it is the observed one: what follows the checks depends on the device, too.
func expectedEnd(o *observe.Observation, d *model.Decision, v *judge.Verdict) string {
	differs := slices.ContainsFunc(v.Diffs, func(x judge.Diff) bool {
		switch x.Field {
		case judge.FieldEnd, judge.FieldEagain, judge.FieldDirect, judge.FieldResult:
			return true
		}
		return false
	})
	switch {
	case d.End == model.EndUnknown:
		return "not decided: " + d.Missing
	case !differs:
		return observedEnd(o)
	}
	switch d.End {
	case model.EndDio:
		return entersDio
	case model.EndBuffered:
		return entersBuffered
	case model.EndN0, model.EndN1, model.EndN2, model.EndN3, model.EndN4:
		return "refused: " + d.End.Refusal()
	}
	return d.End.String()
}
