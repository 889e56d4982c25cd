// Package fstests spells a test in the form that fstests has (xfstests-dev), and what it
// is to print: lines of a shell as package xfsio spells them, between a head and an end, and
// the bytes of the files. It runs nothing.
//
// The form is that of commit 63a29724a85f of 2026-01-01; no line is taken from there.
package fstests
