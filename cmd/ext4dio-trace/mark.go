package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/internal/hint"
	"github.com/ext4dio/ext4dio-trace/trace/mark"
	"github.com/ext4dio/ext4dio-trace/trace/session"
)

const markFromUsage = "take each line of this `SOURCE` as a mark: a FIFO, a file descriptor's number, or kmsg for the tests of fstests"

// markFlags are the flags of mark.
type markFlags struct {
	to     int
	folder string
}

func newMarkCmd() *cobra.Command {
	f := markFlags{folder: mark.Folder}
	cmd := &cobra.Command{
		Use:   "mark [flags] NAME",
		Short: "put a named mark into what is traced now",
		Long: `Put a mark into all that record and live trace on this machine now. Writes that
begin from then on belong to it, until the next mark; an empty NAME ends it. It
returns when the mark has been taken: a write that begins afterwards is behind it.

check, coverage and report tell what came of each mark; view, export and --filter
know it as mark. record --mark-from takes marks from a FIFO or from the kernel's log.

Exit status: 3 nothing is traced here that takes it.`,
		Example: `  ext4dio-trace mark generic/001
  ext4dio-trace mark ''                       no mark from here on
  ext4dio-trace coverage --by mark a.e4d      what came of each`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef(progName+" mark generic/001", "one name is needed, %d are given", len(args))
			}
			return mark.Check(args[0])
		},
		RunE: func(_ *cobra.Command, args []string) error { return f.run(args[0]) },
	}
	cmd.Flags().IntVar(&f.to, "to", 0, "only to the process of this `PID`, of several that trace")
	return cmd
}

// run gives the mark to all who trace.
func (f *markFlags) run(name string) error {
	pids := []int{f.to}
	if f.to == 0 {
		var err error
		pids, err = mark.Running(f.folder)
		if errors.Is(err, fs.ErrPermission) {
			return &exit.Error{Code: exit.Unfit, Msg: "only root can mark what is traced", Hint: hint.AsRoot()}
		}
		if err != nil {
			return &exit.Error{Code: exit.Unfit, Msg: err.Error()}
		}
	}
	if len(pids) == 0 {
		return mark.NoneRunning()
	}
	var failed []string
	for _, pid := range pids {
		_, err := mark.Send(f.folder, pid, name)
		switch {
		case errors.Is(err, fs.ErrPermission):
			return &exit.Error{Code: exit.Unfit, Msg: "only root can mark what is traced", Hint: hint.AsRoot()}
		case f.to != 0 && errors.Is(err, fs.ErrNotExist):
			failed = append(failed, fmt.Sprintf("process %d traces nothing that takes marks", pid))
		case err != nil:
			failed = append(failed, fmt.Sprintf("process %d: %v", pid, err))
		}
	}
	if len(failed) > 0 {
		return &exit.Error{Code: exit.Unfit, Msg: "the mark was not taken: " + strings.Join(failed, "; ")}
	}
	return nil
}

// markSource opens what --mark-from names; nil for nothing.
func (o *captureFlags) markSource() (*mark.Source, error) {
	if o.markFrom == "" {
		return nil, nil
	}
	return mark.Open(o.markFrom)
}

// markNotes is what there is to be said of marks. While a screen lies over stderr it waits for
// that; of very much only the beginning is said, and how much more there was.
type markNotes struct {
	mu       sync.Mutex
	onScreen bool
	waiting  []string
	said     int
}

// mostMarkNotes is how many are said.
const mostMarkNotes = 20

func (n *markNotes) tell(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said++
	switch {
	case n.said > mostMarkNotes:
	case n.onScreen:
		n.waiting = append(n.waiting, text)
	default:
		note(os.Stderr, "%s", text)
	}
}

// end says the rest.
func (n *markNotes) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, text := range n.waiting {
		note(os.Stderr, "%s", text)
	}
	if more := n.said - mostMarkNotes; more > 0 {
		note(os.Stderr, "%d more of its kind about marks", more)
	}
}

// takeMarks takes marks from a source, which may be nil, and from the command mark, until the
// returned function is called.
func takeMarks(from *mark.Source, marks *session.Marks, onScreen bool) (end func()) {
	notes := &markNotes{onScreen: onScreen}
	if from != nil {
		from.Follow(marks.Take, notes.tell)
	}
	server, err := mark.Listen(mark.Folder, marks.Take)
	if err != nil {
		notes.tell(fmt.Sprintf("the command mark does not reach this trace: %v", err))
	}
	return func() {
		from.Close()
		if server != nil {
			server.Close()
		}
		notes.end()
	}
}
