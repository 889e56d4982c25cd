// Command benchcmp compares a run of Go benchmarks, read from stdin, with a stored one.
//
// Both runs hold BenchmarkReference, a fixed loop of no use. Every time is divided by
// that of the reference in the same run, so that a baseline that was stored on one
// machine says something on another, and a busy machine slows both. It is still a
// comparison of two runs on machines that do other things: give each benchmark a few
// counts, of which the fastest is taken, and look twice before believing 10 percent.
//
//	go test -run '^$' -bench . -benchmem -count 5 ./internal/benchcmp ./decode | go run ./internal/benchcmp
//
// It is no part of the program and must not be imported.
package main
