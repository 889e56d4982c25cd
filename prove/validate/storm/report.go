package storm

import (
	"github.com/ext4dio/ext4dio-trace/prove/validate/trial"
	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// Failure is one way of being wrong in a storm, with the first write that showed it.
type Failure struct {
	Oracle trial.Oracle `json:"oracle"`
	Storm  string       `json:"storm"`
	Scene  string       `json:"scene"`
	Round  int          `json:"round"` // of the scene, from 1
	Writer int          `json:"writer,omitempty"`
	Write  string       `json:"write,omitempty"`
	What   []string     `json:"what"`
	// Command repeats the storm with the same writes; in which order they come
	// together is up to the machine.
	Command string `json:"command"`
	// Count is how often it happened this way.
	Count int `json:"count"`
	// Seen is the attempt that was judged; its parts are nil where there is none.
	Seen trial.Seen `json:"-"`

	signature string
}

// Storm is what happened in one storm. The counts from Queued on are of attempts.
type Storm struct {
	Name string `json:"name"`
	// Skipped says why the storm, or one of its scenes, could not run here.
	Skipped []string `json:"skipped,omitempty"`
	Scenes  int      `json:"scenes"` // that ran
	Rounds  int      `json:"rounds"`
	Writes  int      `json:"writes"`   // made
	Seen    int      `json:"attempts"` // more than Writes by the retries of io_uring
	Wrong   int      `json:"wrong"`    // by all oracles

	Queued    int `json:"queued"`    // went on after their submission
	Waited    int `json:"waited"`    // for i_rwsem
	Restarted int `json:"restarted"` // checked more than once: upgrade + restart
	Drained   int `json:"drained"`   // waited in inode_dio_wait
	Zeroed    int `json:"zeroed"`    // zeroed a part of a block
	Fallbacks int `json:"fallbacks"` // went through the page cache
	Again     int `json:"again"`     // ended with -EAGAIN

	Seconds float64 `json:"seconds"` // it took
}

// Report is the outcome of a run.
type Report struct {
	Seed       uint64        `json:"seed"`
	Variant    model.Variant `json:"variant"`
	Storms     []Storm       `json:"storms"`
	Observed   trial.Tally   `json:"observed"`
	Bytes      trial.Tally   `json:"bytes"`
	Accounting trial.Tally   `json:"accounting"`
	// LeftOut counts why verdicts are undecided.
	LeftOut map[string]int `json:"left_out,omitempty"`
	// Again counts where attempts ended with -EAGAIN.
	Again map[string]int `json:"again,omitempty"`
	// Hazards counts rules that were broken and that the variant does not promise.
	Hazards map[string]int `json:"hazards,omitempty"`
	// Overlaps counts what two writes did together to one block.
	Overlaps map[string]int `json:"overlaps,omitempty"`
	// Missing says which submission paths this kernel does not offer.
	Missing  map[workload.EngineName]string `json:"missing,omitempty"`
	Failures []Failure                      `json:"failures,omitempty"`
}

func newReport(o *Options) *Report {
	return &Report{
		Seed: o.Seed, Variant: o.Variant, LeftOut: map[string]int{}, Again: map[string]int{},
		Hazards: map[string]int{}, Overlaps: map[string]int{}, Missing: map[workload.EngineName]string{},
	}
}

// Writes is how many were made.
func (r *Report) Writes() int {
	n := 0
	for i := range r.Storms {
		n += r.Storms[i].Writes
	}
	return n
}

// Wrong is how often something was.
func (r *Report) Wrong() int {
	n := 0
	for i := range r.Storms {
		n += r.Storms[i].Wrong
	}
	return n
}

// add notes a failure; one that is like one before is counted only.
func (r *Report) add(f Failure) {
	for i := range r.Failures {
		old := &r.Failures[i]
		if old.Oracle == f.Oracle && old.Storm == f.Storm && old.signature == f.signature {
			old.Count++
			return
		}
	}
	f.Count = 1
	r.Failures = append(r.Failures, f)
}
