// Package target gives a validation a file system of its own: on a disk that
// the user named and gave up, or in an image file that it made itself.
//
// It writes to that disk or file and to nothing else. Whether a disk may be
// written to is decided from what the kernel says about it (Inspect), and by
// claiming it exclusively (Claim), before the first byte is written.
package target
