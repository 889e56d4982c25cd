package trial

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
)

// Oracle is what judged.
type Oracle string

// The oracles.
const (
	Observed   Oracle = "observed"   // the model fed with what was observed
	Known      Oracle = "known"      // the model fed with the known layout
	Bytes      Oracle = "bytes"      // what is in the file
	Accounting Oracle = "accounting" // what was made against what was seen
)

// Tally counts what an oracle said of writes, attempts or files.
type Tally struct {
	Right     int `json:"right"`
	Wrong     int `json:"wrong"`
	Undecided int `json:"undecided"` // no opinion
}

// Add adds another tally.
func (t *Tally) Add(other Tally) {
	t.Right += other.Right
	t.Wrong += other.Wrong
	t.Undecided += other.Undecided
}

// Count counts a verdict, which may be nil. Of one that is wrong it returns what is, and
// what those that are wrong in the same way have in common.
func (t *Tally) Count(v *judge.Verdict) (what []string, signature string) {
	switch {
	case v == nil || v.Kind == judge.Undecided:
		t.Undecided++
	case v.Kind == judge.Agree:
		t.Right++
	default:
		t.Wrong++
		what = append([]string{"the model's verdict is " + v.Kind.String()}, v.Why()...)
		signature = v.Kind.String() + " " + v.Rules.String()
	}
	return what, signature
}

// Diff is a field that is not what it has to be.
type Diff struct {
	Field    string `json:"field"`
	Expected string `json:"expected"`
	Observed string `json:"observed"`
}

func (d Diff) String() string {
	return fmt.Sprintf("%s: expected %s, observed %s", d.Field, d.Expected, d.Observed)
}
