package probes

import exits "github.com/ext4dio/ext4dio-trace/internal/exit"

// UnfitError says that this machine or kernel cannot be traced: what is missing
// and what to type next.
type UnfitError = exits.UnfitError

const vmHint = "trace inside a virtual machine instead: ext4dio-trace vm -- live"

// UsageError says that the user asked for something that does not exist.
type UsageError = exits.UsageError
