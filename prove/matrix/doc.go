// Package matrix holds the tests on real kernels: each is booted in QEMU, the
// program runs in it as a user would run it, and what it found is compared with
// what was issued.
package matrix
