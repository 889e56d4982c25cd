package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
	"github.com/ext4dio/ext4dio-trace/trace/doctor"
)

func newDoctorCmd() *cobra.Command {
	var asJSON bool
	var attach string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "tell whether this machine can be traced, and how",
		Long: `Tell what this kernel offers, how each probe is attached or why it is not, and
which variant of ext4's logic the kernel holds. Everything is attached for a
moment to see that it works. Exit status 3 means that it does not; the last
line then says what to type instead.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(os.Stdout, attach, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().StringVar(&attach, "attach", "auto", attachUsage)
	return cmd
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef(cmd.CommandPath()+" --help", "unexpected argument %q", args[0])
	}
	return nil
}

func runDoctor(out io.Writer, attach string, asJSON bool) error {
	d := doctor.Diagnose(attach)
	if d.Err != nil && asExit(d.Err).Code == exit.Usage {
		return d.Err
	}
	write := d.WriteText
	if asJSON {
		write = d.WriteJSON
	}
	if err := write(out); err != nil && !isClosedPipe(err) {
		return fmt.Errorf("write diagnosis: %w", err)
	}
	return d.Err
}
