package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// DefaultTimeout is how long what the tracer saw of a write is waited for.
const DefaultTimeout = 20 * time.Second

// FileID names an inode as observations do.
type FileID struct {
	Dev uint32 // the kernel's dev_t: major<<20 | minor
	Ino uint64
}

// Seen is one direct write as it was seen, and what the model says of it.
type Seen struct {
	Observation *observe.Observation
	Verdict     *judge.Verdict // nil when there is none
}

// Tracer hands over what was seen of an inode. A run uses it from one goroutine
// and has at most one inode watched.
type Tracer interface {
	// Watch begins to keep what is seen of an inode, and of no other one. When it
	// returns no write that starts afterwards can be missed.
	Watch(id FileID)
	// Collect hands over the writes to that inode since the last call, in the
	// order in which they were entered, as soon as there are at least n of them
	// whose end was seen (for a queued write: its completion). When ctx ends
	// first, it hands over what there is together with ctx's error. It must not
	// hand over a queued write whose completion has not been seen, except then.
	Collect(ctx context.Context, n int) ([]Seen, error)
}

// ErrLate is wrapped by the error of Collect when the tracer did not show every write in
// time.
var ErrLate = errors.New("not seen in time")

// Collect takes n writes, or more, from a tracer, and waits for them as long as limit.
// With an error it returns what there was.
func Collect(ctx context.Context, t Tracer, n int, limit time.Duration) ([]Seen, error) {
	late, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	seen, err := t.Collect(late, n)
	switch {
	case err != nil && (ctx.Err() != nil || late.Err() == nil):
		return seen, fmt.Errorf("collect what was seen: %w", err)
	case err != nil:
		return seen, fmt.Errorf("%w: %d of %d writes after %s", ErrLate, len(seen), n, limit)
	case len(seen) < n:
		return seen, fmt.Errorf("%w: %d of %d writes", ErrLate, len(seen), n)
	}
	return seen, nil
}

// SortByTime puts writes into the order in which they were entered: attempts of io_uring
// can be handed out after their successors.
func SortByTime(seen []Seen) {
	slices.SortStableFunc(seen, func(a, b Seen) int { return cmp.Compare(a.Observation.Time, b.Observation.Time) })
}

// Retried reports whether io_uring tries a write again, in another task, that ended as it
// was seen: without having waited, though its RWF_* flags do not forbid that.
func Retried(path workload.EngineName, flags int, o *observe.Observation) bool {
	return path.Retries() && flags&unix.RWF_NOWAIT == 0 && o.Flags&model.IocbNowait != 0 &&
		(o.Ret == model.EAGAIN || o.Ret == model.EOPNOTSUPP)
}

// Told is the result that the caller of a path is given for an attempt that was its last:
// io_write of io_uring makes -EAGAIN of the -EOPNOTSUPP of a NOWAIT write.
func Told(path workload.EngineName, o *observe.Observation) int64 {
	if path.Retries() && o.Flags&model.IocbNowait != 0 && o.Ret == model.EOPNOTSUPP {
		return model.EAGAIN
	}
	return o.Ret
}
