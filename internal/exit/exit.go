// Package exit holds the statuses with which the program ends.
package exit

import (
	"cmp"
	"strconv"
)

// Statuses; they are a contract.
const (
	Disagree = 1 // a disagreement, a broken rule, a broken policy or a failed validation
	Usage    = 2 // wrong usage
	Unfit    = 3 // this machine or kernel cannot do it
	Unproven = 4 // nothing wrong was seen, but records were lost or incomplete
)

// Statuses of vm, when the command in the guest came to no status of its own.
const (
	Panicked  = 5 // the guest's kernel went down while the command ran
	Hung      = 6 // the command did not end in time, or the guest showed no sign of life
	NotBooted = 7 // the guest did not come up
	NoKernel  = 8 // there is no kernel to boot
)

// words are for programs.
var words = map[int]string{
	0: "passed", Disagree: "disagrees", Usage: "usage", Unfit: "unfit", Unproven: "unproven",
	Panicked: "panic", Hung: "hang", NotBooted: "no boot", NoKernel: "no kernel",
}

// Word says in a word how a program ended with a status: "status N" for those of others.
func Word(status int) string { return cmp.Or(words[status], "status "+strconv.Itoa(status)) }

// Error ends the program with a status, and says Msg and nothing of the errors that wrap
// it. Without a message nothing is said, as the output has said it.
type Error struct {
	Code int
	Msg  string // one line, no prefix
	Hint string // what can be typed, may be empty
}

func (e *Error) Error() string { return e.Msg }
