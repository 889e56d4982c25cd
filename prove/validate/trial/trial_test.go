package trial

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/decode/rules"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// fixedTracer has seen so many writes, and then waits or returns an error.
type fixedTracer struct {
	n    int
	wait bool
	err  error
}

func (fixedTracer) Watch(FileID) {}
func (f fixedTracer) Collect(ctx context.Context, _ int) ([]Seen, error) {
	if f.wait {
		<-ctx.Done()
		return make([]Seen, f.n), ctx.Err()
	}
	return make([]Seen, f.n), f.err
}

func TestCollect(t *testing.T) {
	boom := errors.New("boom")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		tracer fixedTracer
		is     error
		says   string
	}{
		{"all", t.Context(), fixedTracer{n: 2}, nil, ""},
		{"more", t.Context(), fixedTracer{n: 3}, nil, ""},
		{"late", t.Context(), fixedTracer{n: 1, wait: true}, ErrLate, "not seen in time: 1 of 2 writes after 5ms"},
		{"fewer", t.Context(), fixedTracer{n: 1}, ErrLate, "not seen in time: 1 of 2 writes"},
		{"the tracer fails", t.Context(), fixedTracer{n: 1, err: boom}, boom, "collect what was seen: boom"},
		{"the run is ended", ended, fixedTracer{wait: true}, context.Canceled, "collect what was seen: context canceled"},
	} {
		seen, err := Collect(tt.ctx, tt.tracer, 2, 5*time.Millisecond)
		if len(seen) != tt.tracer.n || !errors.Is(err, tt.is) || err != nil && err.Error() != tt.says {
			t.Errorf("%s: %d, %v", tt.name, len(seen), err)
		}
	}
}

// TestRetried: io_uring tries again what it had tried without waiting; its caller is
// told -EAGAIN of a NOWAIT write that is not possible.
func TestRetried(t *testing.T) {
	for _, tt := range []struct {
		path   workload.EngineName
		flags  int
		iocb   uint32
		ret    int64
		again  bool
		answer int64
	}{
		{workload.IOUring, 0, model.IocbNowait, model.EAGAIN, true, model.EAGAIN},
		{workload.IOUring, 0, model.IocbNowait, model.EOPNOTSUPP, true, model.EAGAIN},
		{workload.IOUring, 0, model.IocbNowait, 512, false, 512},
		{workload.IOUring, 0, 0, model.EAGAIN, false, model.EAGAIN},
		{workload.IOUring, 0, 0, model.EOPNOTSUPP, false, model.EOPNOTSUPP},
		{workload.IOUring, unix.RWF_NOWAIT, model.IocbNowait, model.EOPNOTSUPP, false, model.EAGAIN},
		{workload.Libaio, 0, model.IocbNowait, model.EAGAIN, false, model.EAGAIN},
		{workload.Pwritev2, unix.RWF_NOWAIT, model.IocbNowait, model.EOPNOTSUPP, false, model.EOPNOTSUPP},
	} {
		o := &observe.Observation{Flags: tt.iocb, Ret: tt.ret}
		if again, answer := Retried(tt.path, tt.flags, o), Told(tt.path, o); again != tt.again || answer != tt.answer {
			t.Errorf("%+v: again %v, told %d", tt, again, answer)
		}
	}
}

func TestTally(t *testing.T) {
	var got Tally
	for _, v := range []*judge.Verdict{nil, {Kind: judge.Undecided}, {Kind: judge.Agree}} {
		if what, _ := got.Count(v); what != nil {
			t.Errorf("%+v is wrong: %q", v, what)
		}
	}
	what, signature := got.Count(&judge.Verdict{Kind: judge.Unsafe, Rules: rules.R1 | rules.R9, Reason: "zeroing"})
	if !strings.HasPrefix(strings.Join(what, "|"), "the model's verdict is unsafe|zeroing|R1 is broken: ") || signature != "unsafe R1 R9" {
		t.Errorf("%q, %q", what, signature)
	}
	got.Add(Tally{Right: 10, Wrong: 20, Undecided: 30})
	if got != (Tally{Right: 11, Wrong: 21, Undecided: 32}) {
		t.Errorf("%+v", got)
	}
}

// TestFile does to a file what its methods offer, and sees a byte that is not as it has
// to be in both ways of reading.
func TestFile(t *testing.T) {
	d, err := workload.OpenDir(t.TempDir(), "trial")
	if errors.Is(err, workload.ErrUnfit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := Create(d, "f")
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(f.WriteBuffered(0, bytes.Repeat([]byte("x"), 5000)), f.Fallocate(0, 3*4096), f.Allocate(0, 8*4096),
		f.WriteBuffered(8192, []byte("more")), f.Punch(0, 4096), f.Truncate(9000))
	if err != nil {
		t.Fatal(err)
	}
	if why, err := f.ReadBack(); err != nil || len(why) > 0 {
		t.Errorf("%q, %v", why, err)
	}
	if err := unix.Ftruncate(f.Buffered, 9001); err != nil {
		t.Fatal(err)
	}
	want := []string{"read with O_DIRECT: 9001 bytes were read, and i_size has to be 9000", "read through the page cache: 9001 bytes were read, and i_size has to be 9000"}
	if why, err := f.ReadBack(); err != nil || strings.Join(why, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, %v", why, err)
	}
	if err := errors.Join(f.Close(), d.Close(false)); err != nil {
		t.Error(err)
	}
}
