// Package matrix holds the tests on real kernels: each is booted in QEMU, the
// program runs in it as a user would run it, and what it found is compared with
// what was issued.
//
// All tests are parallel, so that as many guests run as there may be, to the end. Those
// whose guests come one after the other begin first, in the order of their files; then
// come subtests that are parallel themselves. A guest that takes minutes is one of the
// former, or of TestKernels, whose longest is its first.
package matrix
