// Package outcome is what a run of validate came to: the patches that the kernel
// holds, the scenarios, generated writes and storms on each configuration, every
// failure with its explanation and reproducer, and what that means altogether; as
// text, JSON and JUnit XML.
package outcome
