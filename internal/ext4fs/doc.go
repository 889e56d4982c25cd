// Package ext4fs tells which ext4 file systems are mounted, with which options and
// features. It reads and never writes.
package ext4fs
