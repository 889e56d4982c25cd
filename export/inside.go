package export

import (
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Inside is a write that is in the kernel and has not returned, or was queued and has not
// completed.
type Inside struct {
	Row
	// Stack is where in the kernel its thread sleeps, the innermost function first. NoStack
	// says why there is none; both are empty when nobody has looked.
	Stack   []string
	NoStack string
}

// Bounds of the list of a Totals, and of what a summary shows of it.
const (
	maxInside   = 64
	shownInside = 16
)

// addInside keeps r.
func (t *Totals) addInside(r *Row) {
	if len(t.Inside) >= maxInside {
		return
	}
	in := Inside{Row: r.Clone()}
	if !in.Row.Inside.Known { // queued, and the end was not seen
		in.Row.Inside, in.InsideNs = Some(record.InsideIO), Opt[uint64]{}
	}
	t.Inside = append(t.Inside, in)
}

// Lines says in words what is known of it, fit for a terminal.
func (in *Inside) Lines() []string {
	file := fmt.Sprintf("inode %d on %s", in.Ino, DevName(in.Dev))
	if in.Path != "" {
		file = Safe(in.Path) + " (" + file + ")"
	}
	text := fmt.Sprintf("%s (%s): %d bytes at %d of %s, %s", Safe(in.Comm), in.Numbers(), in.Len, in.Pos, file, in.Row.Inside.V.Words())
	if in.Queued() {
		text += ", asynchronous"
	}
	if n := len(in.Waits); n > 0 && in.Row.Inside.V == record.InsideWait {
		w := &in.Waits[n-1]
		text += " " + ModeName(w.Lock) + " for " + Duration(w.Ns)
	}
	if in.InsideNs.Known {
		text += ", entered " + Duration(in.InsideNs.V) + " ago"
	}
	lines := []string{text}
	for _, w := range WaitedFor(in.Waits, in.WaitNs.V) {
		lines = append(lines, "  waited "+w)
	}
	for _, s := range in.Stack {
		lines = append(lines, "    "+Safe(s))
	}
	if in.NoStack != "" {
		lines = append(lines, "    no stack: "+SafeText(in.NoStack))
	}
	return lines
}

// Queued reports whether the write function has returned, and its I/O is on the way.
func (in *Inside) Queued() bool { return in.Facts.SubmitRet == queuedRet }

const queuedRet = -529 // -EIOCBQUEUED

// InsideText lists the writes that are inside now.
func InsideText(list []Inside) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSIDE: %s in the kernel now\n", Plural(uint64(len(list)), "write"))
	for i := range list {
		appendInside(&b, &list[i])
	}
	return b.String()
}

func appendInside(b *strings.Builder, in *Inside) {
	for _, line := range in.Lines() {
		b.WriteString("  " + line + "\n")
	}
}

// InsideText lists the writes that were not seen to end; empty for none.
func (s *Summary) InsideText() string {
	var b strings.Builder
	s.appendInside(&b)
	return b.String()
}

func (s *Summary) appendInside(b *strings.Builder) {
	all := max(s.Losses.Unfinished, s.Totals.Unreturned) + s.Totals.Uncompleted
	if all == 0 {
		return
	}
	fmt.Fprintf(b, "UNFINISHED: %s not seen to end\n", Plural(all, "write"))
	shown := s.Totals.Inside[:min(len(s.Totals.Inside), shownInside)]
	for i := range shown {
		appendInside(b, &shown[i])
	}
	if more := all - uint64(len(shown)); more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
}

// insideJSON is an Inside for programs.
type insideJSON struct {
	Pid     uint32   `json:"pid"`
	Tid     uint32   `json:"tid"`
	Foreign bool     `json:"foreign"` // see Row.Foreign
	Comm    string   `json:"comm"`    // raw
	Dev     string   `json:"dev"`
	Ino     uint64   `json:"ino"`
	Path    *string  `json:"path"`
	Pos     int64    `json:"pos"`
	Len     int64    `json:"len"`
	Stage   string   `json:"stage"`
	AgeNs   *uint64  `json:"age_ns"`
	Stack   []string `json:"stack"`
	NoStack string   `json:"no_stack,omitempty"`
}

func (t *Totals) insideJSON() []insideJSON {
	out := []insideJSON{}
	for i := range t.Inside {
		in := &t.Inside[i]
		j := insideJSON{
			Pid: in.Pid, Tid: in.Tid, Foreign: in.Row.Foreign.V, Comm: in.Comm, Dev: DevName(in.Dev), Ino: in.Ino, Pos: in.Pos, Len: in.Len,
			Stage: in.Row.Inside.V.String(), Stack: in.Stack, NoStack: in.NoStack,
		}
		if in.Path != "" {
			j.Path = &in.Path
		}
		if in.InsideNs.Known {
			j.AgeNs = &in.InsideNs.V
		}
		out = append(out, j)
	}
	return out
}
