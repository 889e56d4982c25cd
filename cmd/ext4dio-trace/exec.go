package main

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// newExecCmd makes the command that becomes another program: in a guest the
// only way to run something that is not traced.
func newExecCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "exec -- PROGRAM [ARGUMENT…]",
		Short:   "run another program, for use behind vm",
		Example: `  ext4dio-trace vm --share ./tests -- exec -- sh /share/all.sh`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &exitError{code: 2, msg: "no program given", hint: "ext4dio-trace exec -- PROGRAM"}
			}
			path, err := exec.LookPath(args[0])
			if err != nil {
				return &exitError{code: 2, msg: fmt.Sprintf("find program: %v", err), hint: "give its full path; vm copies what stands behind the second --"}
			}
			return fmt.Errorf("exec %s: %w", path, unix.Exec(path, args, os.Environ()))
		},
	}
}
