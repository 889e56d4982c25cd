package fstests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// First is the number of the first test of ours, far behind those that fstests has for ext4.
const (
	First = 901
	Last  = 999 // a number has three digits
)

// Test is a test on a scratch device.
type Test struct {
	Number    int
	About     []string // what it is for, lines of a comment
	BlockSize int64
	Mkfs      string   // more options of mkfs.ext4
	Mount     string   // options of the mount, such as nodelalloc
	Body      []string // lines for a shell, as package xfsio spells them
	Files     []File
}

// File is a file that the test prints at its end.
type File struct {
	Word    string // how the body names it
	Content *Content
	Ranges  []Range // none: all of it
}

// Range is a part of a file, in bytes.
type Range struct{ Off, Len int64 }

// Name is what the test is called; its golden output has .out behind it.
func (t *Test) Name() string { return fmt.Sprintf("%03d", t.Number) }

const head = `#! /bin/bash
# SPDX-License-Identifier: GPL-2.0
# Copyright (c) YEAR YOUR NAME HERE.  All Rights Reserved.
#
# FS QA Test %s
#
`

const imports = `#
. ./common/preamble
_begin_fstest auto quick rw

# Import common functions.
. ./common/filter

_exclude_fs ext2
_exclude_fs ext3

_require_scratch
_require_odirect 512
`

const tail = `
# success, all done
_exit 0
`

// Script is the test.
func (t *Test) Script() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, head, t.Name())
	for _, line := range t.About {
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	b.WriteString(imports)
	for _, line := range requires(t.Body) {
		b.WriteString(line + "\n")
	}
	b.WriteByte('\n')
	if t.Mkfs != "" {
		fmt.Fprintf(&b, "MKFS_OPTIONS=\"$MKFS_OPTIONS %s\"\n", t.Mkfs)
	}
	fmt.Fprintf(&b, "_scratch_mkfs_blocksized %d >> $seqres.full 2>&1 || _fail \"mkfs failed\"\n", t.BlockSize)
	mount, cycle := "_scratch_mount", "_scratch_cycle_mount"
	if t.Mount != "" {
		mount, cycle = mount+` "-o `+t.Mount+`"`, cycle+` "`+t.Mount+`"`
	}
	b.WriteString(mount + "\n\n")
	for _, line := range trimmed(t.Body) {
		b.WriteString(Line(line) + "\n")
	}
	b.WriteString("\n# What is on the disk now, not what is in the page cache.\n" + cycle + "\n")
	for i := range t.Files {
		t.Files[i].print(&b)
	}
	b.WriteString(tail)
	return []byte(b.String())
}

// needs are the lines that ask for what a body uses, which is told by the spelling of package xfsio.
var needs = []struct {
	used    *regexp.Regexp
	require string
}{
	{regexp.MustCompile(`"falloc -k `), `_require_xfs_io_command "falloc" "-k"`},
	{regexp.MustCompile(`"falloc \d`), `_require_xfs_io_command "falloc"`},
	{regexp.MustCompile(`"fpunch `), `_require_xfs_io_command "fpunch"`},
	{regexp.MustCompile(`"pwrite [^"]*-N `), `_require_xfs_io_command "pwrite" "-N"`},
	{regexp.MustCompile(`chattr -e `), `_require_command "$CHATTR_PROG" chattr`},
	{regexp.MustCompile(`chattr \+j `), "_require_chattr j"},
}

func requires(body []string) (out []string) {
	for _, need := range needs {
		if slices.ContainsFunc(body, func(line string) bool { return !strings.HasPrefix(line, "#") && need.used.MatchString(line) }) {
			out = append(out, need.require)
		}
	}
	return out
}

func (f *File) print(b *strings.Builder) {
	fmt.Fprintf(b, "stat -c %%s %s\n", f.Word)
	if len(f.Ranges) == 0 {
		fmt.Fprintf(b, "_hexdump %s\n", f.Word)
	}
	for _, r := range f.Ranges {
		fmt.Fprintf(b, "_hexdump -j %d -N %d %s\n", r.Off, r.Len, f.Word)
	}
}

// Golden is what the test prints on a kernel that keeps the bytes.
func (t *Test) Golden() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "QA output created by %s\n", t.Name())
	for i := range t.Files {
		f := &t.Files[i]
		fmt.Fprintln(&b, f.Content.Size())
		if len(f.Ranges) == 0 {
			f.Content.dump(&b, 0, f.Content.Size())
		}
		for _, r := range f.Ranges {
			f.Content.dump(&b, r.Off, r.Len)
		}
	}
	return []byte(b.String())
}

var programs = regexp.MustCompile(`(^|&& |; do )(xfs_io|chattr) `)

// Line is a line of a script of ours as a test has it: its programs are variables, what may
// fail is told to the log, and what must not fail shows in the output.
func Line(shell string) string {
	if strings.HasPrefix(shell, "#") {
		return shell
	}
	shell = strings.TrimPrefix(shell, "must ")
	shell = strings.TrimSuffix(shell, " || exit 1")
	if rest, may := strings.CutSuffix(shell, " || :"); may {
		shell = rest + " >> $seqres.full 2>&1"
	}
	return programs.ReplaceAllStringFunc(shell, func(s string) string {
		return strings.NewReplacer("xfs_io", "$XFS_IO_PROG", "chattr", "$CHATTR_PROG").Replace(s)
	})
}

// trimmed are lines without empty ones in front.
func trimmed(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return lines
}
