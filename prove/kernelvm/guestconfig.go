package kernelvm

import "golang.org/x/sys/unix"

// Paths inside the guest.
const (
	guestConfigPath = "/ext4dio-vm.json"
	guestBinary     = "/bin/ext4dio-trace"
	guestMount      = "/mnt"
	guestShare      = "/share"
	guestOut        = "/out"
	guestModules    = "/lib/modules/ext4dio"
)

// guestConfig is what the host tells the guest, a file of the initramfs.
type guestConfig struct {
	Args     []string     // the command's arguments, without its name
	Env      []string     // NAME=value
	Modules  []string     // files below guestModules, in loading order
	TTY      bool         // the command gets a pseudo terminal
	StderrTo bool         // standard error is a stream of its own even with TTY
	NoStdin  bool         // standard input is /dev/null
	Size     unix.Winsize // the terminal's first size
	Mount    bool         // mount the disk on guestMount
	Share    bool         // LUN 1 holds the shared folder
	Out      bool         // send guestOut at the end
	DelayMS  int64        // put dm-delay over the disk, milliseconds
	NullBlk  [][2]int64   // copy these bytes (offset, length) to null_blk and use that
}
