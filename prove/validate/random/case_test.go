package random

import (
	"testing"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// TestWorker: after a write that a task of the kernel may have made, i_rwsem can
// still be held; what comes between does not change that.
func TestWorker(t *testing.T) {
	c := &Case{Steps: []Step{{Op: Fallocate}, {Op: Write, Engine: workload.IOUringSQThr}, {Op: Sync}, {Op: Write, Engine: workload.Libaio}, {Op: Write}}}
	for i, want := range []bool{false, false, true, true, false} {
		if got := c.worker(i); got != want {
			t.Errorf("before step %d: %v, want %v", i, got, want)
		}
	}
}

// TestAble: the generator gives no write to a path that cannot make it.
func TestAble(t *testing.T) {
	one, two := &Step{Segs: []int{512}}, &Step{Segs: []int{512, 512}}
	for _, c := range []struct {
		e    workload.EngineName
		s    *Step
		bs   int64
		want workload.EngineName
	}{
		{workload.Pwrite, one, 4096, workload.Pwrite},
		{workload.Pwrite, two, 4096, workload.Pwritev2},
		{workload.Pwrite, &Step{Segs: []int{512}, Flags: 8}, 4096, workload.Pwritev2},
		{workload.IOUringFixed, one, 4096, workload.IOUringFixed},
		{workload.IOUringFixed, two, 4096, workload.IOUring},
		{workload.IOUringFixed, one, 65536, workload.IOUring},
		{workload.IOUringSQThr, two, 65536, workload.IOUringSQThr},
	} {
		g := &generator{bs: c.bs}
		if got := g.able(c.e, c.s); got != c.want {
			t.Errorf("%s with %d segments: %s, want %s", c.e, len(c.s.Segs), got, c.want)
		}
	}
}
