// Package model is the reference model of ext4's decisions for direct writes.
//
// It is pure: it does no I/O, reads no clock and keeps no state. It has one
// function for every step that the kernel takes, named after the kernel's
// function, so that it can be read beside fs/ext4/file.c.
package model
