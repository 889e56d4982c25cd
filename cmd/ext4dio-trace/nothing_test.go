package main

import (
	"testing"
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/record"
)

// Where a command was traced or others wrote, seeing nothing is no success.
func TestSawNothing(t *testing.T) {
	of := func(c record.Counters) *export.Summary { return &export.Summary{Losses: record.Losses{Counters: c}} }
	for _, c := range []struct {
		name    string
		s       *export.Summary
		outcome string
		want    bool
		says    string
	}{
		{"nobody wrote", of(record.Counters{}), "", false, ""},
		{"the command did not write", of(record.Counters{}), "fio ended with exit status 7", true, "nothing was seen: fio ended with exit status 7 and made no direct write on ext4"},
		{"others wrote", of(record.Counters{Filtered: 1, NotPid: 1}), "", true, ""},
		{"all was quick", of(record.Counters{Seen: 3, TooFast: 3, Filtered: 1}), "fio ended with exit status 0", false, ""},
		{"some were seen", of(record.Counters{Seen: 3, Filtered: 1}), "fio ended with exit status 0", false, ""},
	} {
		err := sawNothing(c.s, c.outcome)
		if got := err != nil; got != c.want {
			t.Errorf("%s: an error is %v, want %v", c.name, got, c.want)
		}
		if err != nil && asExit(err).Msg != c.says {
			t.Errorf("%s: it says %q, want %q", c.name, asExit(err).Msg, c.says)
		}
	}
}

// That nothing is seen is said once, after two seconds, and only when writes were left out.
func TestQuiet(t *testing.T) {
	var said []string
	q := newQuiet(func(text string) { said = append(said, text) })
	left := &export.Summary{Losses: record.Losses{Counters: record.Counters{Filtered: 2, NotComm: 2}}}
	q.look(left)
	q.began = q.began.Add(-quietFor - time.Nanosecond)
	q.look(&export.Summary{})
	if len(said) != 0 {
		t.Errorf("too early: %q", said)
	}
	q.look(left)
	q.look(left)
	if len(said) != 1 || said[0] != "nothing seen yet, all that was written was left out: 2 by --comm" {
		t.Errorf("said %q", said)
	}
}
