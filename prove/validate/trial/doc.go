// Package trial is what scenarios, generated cases and storms have in common: the file
// that is written to with what it has to hold, what is seen of its writes and how long
// that is waited for, and how answers are counted.
package trial
