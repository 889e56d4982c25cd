package probes

// UnfitError says that this machine or kernel cannot be traced: what is missing
// and what to type next.
type UnfitError struct {
	Msg  string
	Hint string
}

func (e *UnfitError) Error() string { return e.Msg }

const vmHint = "trace inside a virtual machine instead: ext4dio-trace vm -- live"

// UsageError says that the user asked for something that does not exist.
type UsageError struct {
	Msg  string
	Hint string
}

func (e *UsageError) Error() string { return e.Msg }
