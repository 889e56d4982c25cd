package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// NoThread is why a queued write has no stack.
const NoThread = "no thread waits in the kernel for an asynchronous write"

// maxFrames bounds a stack.
const maxFrames = 40

// LookAtStack asks the kernel where the thread of the write sleeps.
func (in *Inside) LookAtStack() {
	if in.Queued() {
		in.NoStack = NoThread
		return
	}
	if in.Row.Foreign.V {
		in.NoStack = "the tracer's pid namespace does not have the thread"
		return
	}
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		in.NoStack = "/proc is not that of the tracer's pid namespace"
		return
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stack", in.Pid, in.Tid))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		in.NoStack = "the thread has ended, or this kernel shows no stacks"
	case errors.Is(err, fs.ErrPermission):
		in.NoStack = "/proc/PID/task/TID/stack is for root only"
	case err != nil:
		in.NoStack = err.Error()
	default:
		in.Stack, in.NoStack = parseStack(string(b))
	}
}

// parseStack reads the lines of /proc/PID/stack, the innermost function first. A stack
// that does not go through the write function is of something else that the thread does now.
func parseStack(text string) (stack []string, why string) {
	inWrite := false
	for line := range strings.Lines(text) {
		_, frame, ok := strings.Cut(strings.TrimSpace(line), "] ")
		if !ok {
			continue
		}
		inWrite = inWrite || strings.Contains(frame, "ext4_file_write_iter") || strings.Contains(frame, "ext4_dio_write_iter")
		if len(stack) < maxFrames {
			stack = append(stack, frame)
		}
	}
	switch {
	case len(stack) == 0:
		return nil, "the thread does not sleep"
	case !inWrite:
		return nil, "the thread is not in the write any more"
	}
	return stack, ""
}
