package main

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
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
				return &exit.Error{Code: exit.Usage, Msg: "no program given", Hint: "ext4dio-trace exec -- PROGRAM"}
			}
			path, err := exec.LookPath(args[0])
			if err != nil {
				return &exit.Error{Code: exit.Usage, Msg: fmt.Sprintf("find program: %v", err), Hint: "give its full path; vm copies what stands behind the second --"}
			}
			return fmt.Errorf("exec %s: %w", path, unix.Exec(path, args, os.Environ()))
		},
	}
}
