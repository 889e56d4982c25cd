package coverage

import model "github.com/ext4dio/ext4dio-trace/userspace-model"

// Foreseen are the points that a write made at pos takes as the model predicts it, by their
// places in Report.Points.
func Foreseen(out *model.Outcome, pos int64) []int {
	s := ofOutcome(out, pos)
	var all []int
	for i := range points {
		if s.has(i) {
			all = append(all, i)
		}
	}
	return all
}
