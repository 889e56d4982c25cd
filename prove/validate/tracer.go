package validate

import (
	"context"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
)

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

// Tracer hands over what was seen of an inode. A Runner uses it from one
// goroutine and has at most one inode watched.
type Tracer interface {
	// Watch begins to keep what is seen of an inode. It returns when no write
	// that starts afterwards can be missed.
	Watch(id FileID) error
	// Collect hands over the writes to the inode since the last call, in the
	// order in which they were entered, as soon as there are at least n of them
	// whose end was seen (for a queued write: its completion). When ctx ends
	// first, it hands over what there is together with ctx's error. It must not
	// hand over a queued write whose completion has not been seen, except then.
	Collect(ctx context.Context, id FileID, n int) ([]Seen, error)
	// Forget ends Watch.
	Forget(id FileID)
}
