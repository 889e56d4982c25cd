// Package bench repeats the two tests by which the series "ext4: allow more DIO
// writes under shared i_rwsem" was measured (its cover letter, version 2), and
// sets the results of several kernels side by side as the cover letter does.
//
// It writes in a directory of its own only, checks the bytes that it wrote, and
// never estimates: what was not measured is left out of the tables.
package bench
