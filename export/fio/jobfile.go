package fio

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/export"
)

// maxLayout bounds what is laid out of one file without asking, bytes.
const maxLayout = 1 << 30

const jobHead = `# Direct writes on ext4, to be replayed with fio 3.31 or later in this very folder,
# which has to be on the ext4 to be tried: cd FOLDER && fio trace.fio
#
%s#
# Each task of the trace is a job with its own log; times are those of the trace
# (replay_no_stall=1 leaves no pauses). Files are called e4d-*. Before the replay they
# are written up to the i_size that the trace saw first, so that their blocks are
# written; the trace may have met unwritten blocks and holes: --format xfsio lays
# those out. Not repeated: what the memory was aligned to, and in which segments.
`

// maxComment bounds what of a text stands in a comment, bytes. fio reads lines in pieces
// of 4096 bytes, and takes the second for a line of its own.
const maxComment = 1024

// comment is text in a form that can stand in a comment.
func comment(text string) string {
	text = export.Safe(text)
	if len(text) <= maxComment {
		return text
	}
	return strings.ToValidUTF8(text[:maxComment], "") + "…"
}

// jobFile is the text of the job file.
func (w *Writer) jobFile() []byte {
	var b, about bytes.Buffer
	for _, line := range w.about {
		about.WriteString("# " + comment(line) + "\n")
	}
	fmt.Fprintf(&b, jobHead, about.String())
	if w.appends > 0 {
		fmt.Fprintf(&b, "# Writes that were appends, and go to the place here that they went to: %d.\n", w.appends)
	}
	if w.skipped > 0 {
		fmt.Fprintf(&b, "# Writes that are left out, because they have no length or go to more than %[2]d files: %[1]d.\n", w.skipped, maxFiles)
	}
	b.WriteString("#\n")
	for _, f := range w.names {
		fmt.Fprintf(&b, "# %s: %s\n", f.name, f.about)
	}
	b.WriteString("\n[global]\ndirect=1\nthread=1\nfile_service_type=sequential\n")
	for i, f := range w.names {
		layout(&b, i+1, f)
	}
	for i, j := range w.order {
		j.section(&b, i == 0)
	}
	return b.Bytes()
}

// layout writes the job that makes a file.
func layout(b *bytes.Buffer, n int, f *file) {
	if f.size <= 0 {
		return
	}
	mark := ""
	if f.size > maxLayout {
		mark = "#"
		fmt.Fprintf(b, "\n# %s is large: take the marks away to have it laid out.", f.name)
	}
	fmt.Fprintf(b, "\n%s[layout-%d]\n%sfilename=%s\n%srw=write\n%sdirect=0\n%sioengine=psync\n%sbs=1M\n%ssize=%d\n%sfsync_on_close=1\n",
		mark, n, mark, f.name, mark, mark, mark, mark, mark, f.size, mark)
}

// section writes the job of a task.
func (j *job) section(b *bytes.Buffer, first bool) {
	what := fmt.Sprintf("%s (pid %d, tid %d)", comment(j.comm), j.key.pid, j.key.tid)
	if j.key.tid == 0 {
		what = "all other tasks"
	}
	fmt.Fprintf(b, "\n# %s\n[job-%d]\n", what, j.number)
	if first {
		b.WriteString("stonewall\n") // after the layout; the others run beside this one
	}
	fmt.Fprintf(b, "read_iolog=%s\nioengine=%s\n", j.log(), j.key.engine)
	if j.key.engine == "libaio" || j.key.engine == "io_uring" {
		fmt.Fprintf(b, "iodepth=%d\n", max(j.depth, 1))
	}
	if j.key.nowait {
		b.WriteString("nowait=1\nignore_error=,EAGAIN\n")
	}
	if j.key.sync != "" {
		fmt.Fprintf(b, "sync=%s\n", j.key.sync)
	}
}
