package main

import (
	"errors"
	"io/fs"
	"os/exec"
)

// findCommand looks args[0] up as a shell does. This program finds itself
// wherever it is installed.
func findCommand(args []string) (string, error) {
	path, err := exec.LookPath(args[0])
	if err != nil && args[0] == progName {
		return "/proc/self/exe", nil
	}
	if err != nil {
		const hint = progName + " live -- /usr/bin/fio job.fio"
		if errors.Is(err, exec.ErrNotFound) {
			return "", usagef(hint, "command not found: %s", args[0])
		}
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return "", usagef(hint, "cannot run %s: %v", args[0], err)
	}
	return path, nil
}
