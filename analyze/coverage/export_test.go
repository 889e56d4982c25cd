package coverage

import model "github.com/ext4dio/ext4dio-trace/userspace-model"

// Reaches tells which points the cases reach, by their numbers.
func Reaches(v model.Variant) func(i int) bool {
	s := reachable(v)
	return s.has
}
