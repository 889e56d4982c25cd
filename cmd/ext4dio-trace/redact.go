package main

import (
	"github.com/spf13/pflag"

	"github.com/ext4dio/ext4dio-trace/trace/redact"
)

// redactFlags are the flags about names that must not leave.
type redactFlags struct {
	on  bool
	key string
}

const redactHelp = `--redact replaces names by tokens: those of files and the folders above them, of
processes, devices, mount points, marks and the host, and the command line. The same name
has the same token; with --redact-key FILE also in what is made later with that
file, which stays here: who has it can try names. The kernel's version, the numbers
of devices, inodes and processes, and positions stay.`

func (f *redactFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.on, "redact", false, "replace names by tokens")
	flags.StringVar(&f.key, "redact-key", "", "redact with the key in this `FILE`, which is made when it is not there")
}

// redactor is nil when nothing is to be redacted. The error is one of usage.
func (f *redactFlags) redactor() (*redact.Redactor, error) {
	switch {
	case f.key != "":
		r, err := redact.FromFile(f.key)
		if err != nil {
			return nil, usagef("--redact-key FILE", "%v", err)
		}
		return r, nil
	case f.on:
		return redact.New(), nil
	}
	return nil, nil
}
