package bench

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
)

// testDir opens a directory of our own, or skips where there is no ext4 that takes
// direct writes.
func testDir(t *testing.T) *workload.Dir {
	t.Helper()
	d, err := workload.OpenDir(t.TempDir(), DirName)
	if errors.Is(err, workload.ErrUnfit) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(false); err != nil {
			t.Error(err)
		}
	})
	for _, test := range Tests() {
		if err := test.fits(d.FS); err != nil {
			t.Skip(err)
		}
	}
	return d
}

func TestRunByWrites(t *testing.T) {
	d := testDir(t)
	before := runtime.GOMAXPROCS(0)
	for _, test := range Tests() {
		t.Run(test.Name, func(t *testing.T) {
			starts, stops, steps := 0, 0, 0
			rep, err := Run(t.Context(), d, test, Options{
				Jobs: []int{1, 3}, Writes: 100,
				Watch: func() (func() (Locks, error), error) {
					starts++
					return func() (Locks, error) { stops++; return Locks{Seen: 7}, nil }, nil
				},
				Progress: func(Test, Step) { steps++ },
			})
			if err != nil {
				t.Fatal(err)
			}
			if starts != 2 || stops != 2 || steps != 2 || len(rep.Steps) != 2 {
				t.Fatalf("%d starts, %d stops, %d steps told, %d reported, want 2 of each", starts, stops, steps, len(rep.Steps))
			}
			for _, s := range rep.Steps {
				for _, m := range s.measures() {
					writes := int64(100 * s.Jobs)
					if m.Writes != writes || m.Rounds != 1 || m.WrongBytes != 0 || m.CheckedBytes != writes*test.Stripe || m.IOPS <= 0 ||
						m.CPUNs <= 0 || m.CPUNs > m.WallNs*int64(s.Jobs) {
						t.Errorf("%d jobs: %+v", s.Jobs, m)
					}
				}
				if s.Traced.Seen != 7 || s.Traced.Lost != uint64(100*s.Jobs-7) || !s.Traced.Unproven {
					t.Errorf("%d jobs: what the tracer saw is not accounted for: %+v", s.Jobs, s.Traced)
				}
			}
		})
	}
	if after := runtime.GOMAXPROCS(0); after != before {
		t.Errorf("GOMAXPROCS is %d afterwards, was %d", after, before)
	}
	if left, _ := filepath.Glob(filepath.Join(d.Path, workload.FileName("*"))); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRunByTime(t *testing.T) {
	d := testDir(t)
	rep, err := Run(t.Context(), d, Tests()[1], Options{Jobs: []int{2}, For: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s := rep.Steps[0]
	if s.WallNs < int64(50*time.Millisecond) || s.Writes == 0 || s.WrongBytes != 0 || s.Rounds < 1 {
		t.Errorf("%+v", s)
	}
}

// A step goes on in another round until its time is over, and only then ends.
func TestRoundsUntilTimeIsOver(t *testing.T) {
	d := testDir(t)
	const most = 100 * time.Millisecond
	const tries = 20 // a busy machine may need all of the time for one round
	for i := range tries {
		r := &runner{dir: d, test: Tests()[0], opts: Options{For: most}, stripes: 2}
		m, err := r.measure(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		if m.Rounds == 1 && i+1 < tries {
			continue
		}
		if m.WallNs < int64(most) || m.Rounds < 2 || r.rounds != m.Rounds || m.Writes > int64(2*m.Rounds) || m.WrongBytes != 0 {
			t.Errorf("%d rounds in all, %+v", r.rounds, m)
		}
		return
	}
}

// Every round has a number of its own, a failed one too: blocks that its file left
// behind must not look like those of a later one.
func TestRoundsHaveNumbers(t *testing.T) {
	d := testDir(t)
	r := &runner{dir: d, test: Tests()[0], opts: Options{Writes: 2}}
	var m Measure
	for i, jobs := range []int{1, maxStripes, 1} {
		if _, err := r.round(t.Context(), jobs, 0, &m); (err != nil) != (jobs == maxStripes) {
			t.Fatal(err)
		}
		if r.rounds != i+1 {
			t.Errorf("round %d has number %d", i+1, r.rounds)
		}
	}
}

// The first job at the end of its region stops the others, so that the number of
// writers does not change within a round that is limited by time.
func TestFirstStopsOthers(t *testing.T) {
	d := testDir(t)
	test := Tests()[0]
	const long = 500
	fd, err := test.build(d, 2*long*test.Stripe, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(unix.Close(fd), d.Remove(fileName)) }()
	jobs, err := newJobs(test, fd, 1, 2, long)
	if err != nil {
		t.Fatal(err)
	}
	defer closeJobs(jobs)
	jobs[0].count = 1
	if _, err := runJobs(t.Context(), jobs, time.Hour); err != nil {
		t.Fatal(err)
	}
	if jobs[0].done != 1 || jobs[1].done == long {
		t.Errorf("%d and %d writes, want 1 and less than %d", jobs[0].done, jobs[1].done, long)
	}
}

// The jobs of all rounds count.
func TestCount(t *testing.T) {
	var m Measure
	for range 2 {
		m.count([]*job{{done: 3, cpu: 10}, {done: 2, cpu: 1}})
	}
	if m.Writes != 10 || m.CPUNs != 22 {
		t.Errorf("%+v, want 10 writes and 22 ns", m)
	}
}

// Stamps differ by round, by stripe and by sector.
func TestStamps(t *testing.T) {
	seen := make(map[string]bool)
	for round := range 2 {
		jobs, err := newJobs(Tests()[1], -1, round, 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer closeJobs(jobs)
		for stripe := range int64(2) {
			jobs[0].stamp(stripe)
			for at := 0; at < 14336; at += sector {
				stamp := string(jobs[0].buf.Bytes()[at : at+8])
				if seen[stamp] {
					t.Fatalf("the stamp of round %d, stripe %d, byte %d was there before", round, stripe, at)
				}
				seen[stamp] = true
			}
		}
	}
}

func TestRunEnds(t *testing.T) {
	d := testDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, d, Tests()[0], Options{Jobs: []int{2}, Writes: 100}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
	if _, err := Run(t.Context(), d, Tests()[0], Options{Jobs: []int{0}}); !errors.Is(err, workload.ErrUsage) {
		t.Errorf("no jobs: %v", err)
	}
	failed := errors.New("no tracer")
	if _, err := Run(t.Context(), d, Tests()[0], Options{Jobs: []int{1}, Writes: 1, Watch: func() (func() (Locks, error), error) { return nil, failed }}); !errors.Is(err, failed) {
		t.Errorf("no tracer: %v", err)
	}
}

// What was measured before something went wrong is not lost.
func TestRunKeepsSteps(t *testing.T) {
	d := testDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rep, err := Run(ctx, d, Tests()[0], Options{Jobs: []int{2, 1, 3}, Writes: 3, Progress: func(_ Test, s Step) {
		if s.Jobs == 1 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || rep == nil || len(rep.Steps) != 2 || rep.Steps[1].Writes != 3 {
		t.Errorf("%v, %+v", err, rep)
	}
	if rep, err := Run(ctx, d, Tests()[0], Options{Jobs: []int{2}, Writes: 3}); err == nil || rep != nil {
		t.Errorf("%v, %+v", err, rep)
	}
}

// A file that does not hold what was written is noticed: a byte of a write, one
// beside it in a partial block, one of an older round, and one that was never due.
func TestCheckNotices(t *testing.T) {
	d := testDir(t)
	test := Tests()[1]
	const stripes = 100
	fd, err := test.build(d, stripes*test.Stripe, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	jobs, err := newJobs(test, fd, 1, 2, stripes/2)
	if err != nil {
		t.Fatal(err)
	}
	defer closeJobs(jobs)
	if _, err := runJobs(t.Context(), jobs[:1], 0); err != nil {
		t.Fatal(err)
	}
	var m Measure
	if err := test.check(jobs, &m); err != nil || m.WrongBytes != 0 || m.CheckedBytes != stripes*test.Stripe {
		t.Fatalf("%v, %+v", err, m)
	}
	for name, c := range map[string]struct {
		off  int64
		byte byte
	}{
		"of a write":              {9*test.Stripe + 600, 0},
		"before a write":          {9*test.Stripe + 511, layoutByte(2)},
		"behind a write":          {9*test.Stripe + 512 + 14336, 0},
		"of a stamp":              {9*test.Stripe + 512 + 6, 2},
		"of an unwritten block":   {90*test.Stripe + 5000, 1},
		"of the file's last byte": {stripes*test.Stripe - 1, 0},
	} {
		was := poke(t, d, c.off, c.byte)
		var m Measure
		if err := test.check(jobs, &m); err != nil || m.WrongBytes != 1 || m.FirstWrong == "" {
			t.Errorf("a byte %s: %v, %+v", name, err, m)
		}
		poke(t, d, c.off, was)
	}
}

// poke changes one byte of the file and returns what it was.
func poke(t *testing.T, d *workload.Dir, off int64, to byte) byte {
	t.Helper()
	fd, err := d.Open(fileName, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	b := make([]byte, 1)
	if _, err := unix.Pread(fd, b, off); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, []byte{to}, off); err != nil {
		t.Fatal(err)
	}
	if err := workload.SyncAndDrop(fd); err != nil {
		t.Fatal(err)
	}
	return b[0]
}

func TestFits(t *testing.T) {
	good := workload.FSInfo{BlockSize: 4096, Sector: 512}
	for i, fs := range []workload.FSInfo{good, {BlockSize: 1024, Sector: 512}} {
		for _, test := range Tests() {
			if err := test.fits(fs); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	}
	for i, fs := range []workload.FSInfo{{BlockSize: 65536, Sector: 512}, {BlockSize: 4096, Sector: 4096}, {BlockSize: 4096, Sector: 512, NoDirect: true}} {
		if err := Tests()[1].fits(fs); !errors.Is(err, workload.ErrUnfit) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := Tests()[0].fits(workload.FSInfo{BlockSize: 4096, Sector: 4096}); err != nil {
		t.Errorf("test1 needs no small sectors: %v", err)
	}
}

func TestAccount(t *testing.T) {
	for _, c := range []struct {
		have, want Locks
	}{
		{Locks{Seen: 10, Losses: "none lost"}, Locks{Seen: 10, Losses: "none lost"}},
		{Locks{Seen: 8, Lost: 2, Losses: "2 lost"}, Locks{Seen: 8, Lost: 2, Losses: "2 lost", Unproven: true}},
		{Locks{Losses: "none lost"}, Locks{Lost: 10, Losses: "10 writes made, 0 seen, none lost", Unproven: true}},
		{Locks{Seen: 11, Losses: "none lost"}, Locks{Seen: 11, Losses: "10 writes made, 11 seen, none lost", Unproven: true}},
	} {
		got := c.have
		if got.account(10); got != c.want {
			t.Errorf("%+v becomes %+v, want %+v", c.have, got, c.want)
		}
	}
}

// The room that is asked for holds the largest file of the steps.
func TestRoom(t *testing.T) {
	const more = 256 << 20
	for _, c := range []struct {
		o    Options
		want int64
	}{
		{Options{Jobs: []int{1}, Writes: 1 << 20}, 16<<30 + 2<<30 + more},
		{Options{Jobs: []int{32, 1}, Writes: 1 << 16}, 32<<30 + 4<<30 + more},
		{Options{Jobs: []int{1, 2}}, 128<<20 + 16<<20 + more},
	} {
		if err := c.o.Check(); err != nil {
			t.Fatal(err)
		}
		if got := c.o.Room(Tests()); got != c.want {
			t.Errorf("%+v: %d bytes, want %d", c.o, got, c.want)
		}
	}
}

func TestOptions(t *testing.T) {
	var o Options
	if err := o.Check(); err != nil || o.For != DefaultFor || len(o.Jobs) != 6 {
		t.Errorf("%+v, %v", o, err)
	}
	for name, o := range map[string]Options{
		"no job":      {Jobs: []int{1, 0}},
		"many jobs":   {Jobs: []int{5000}},
		"twice":       {Jobs: []int{1, 2, 1}},
		"negative":    {Writes: -1},
		"long":        {For: -time.Second},
		"both":        {For: time.Second, Writes: 1},
		"many writes": {Writes: maxStripes},
	} {
		if err := o.Check(); !errors.Is(err, workload.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSample(t *testing.T) {
	for _, c := range []struct{ size, pieces, last int64 }{
		{8192, 1, 0}, {chunk, 1, 0}, {chunk + 1, 2, chunk}, {64 * chunk, 64, 63 * chunk}, {65 * chunk, 64, 64 * chunk}, {1 << 40, 64, 1<<40 - chunk},
	} {
		got := sample(c.size)
		if int64(len(got)) != c.pieces || got[len(got)-1] != c.last || got[0] != 0 {
			t.Errorf("size %d: %d pieces, the last at %d", c.size, len(got), got[len(got)-1])
		}
		for i := 1; i < len(got); i++ {
			if got[i] <= got[i-1] || got[i]%chunk != 0 {
				t.Errorf("size %d: piece at %d behind %d", c.size, got[i], got[i-1])
			}
		}
	}
}
