// Package exit holds the statuses with which the program ends.
package exit

// Statuses; they are a contract.
const (
	Disagree = 1 // a disagreement, a broken rule or a failed validation
	Usage    = 2 // wrong usage
	Unfit    = 3 // this machine or kernel cannot do it
	Unproven = 4 // nothing wrong was seen, but records were lost or incomplete
)

// Error ends the program with a status, and says Msg and nothing of the errors that wrap
// it. Without a message nothing is said, as the output has said it.
type Error struct {
	Code int
	Msg  string // one line, no prefix
	Hint string // what can be typed, may be empty
}

func (e *Error) Error() string { return e.Msg }
