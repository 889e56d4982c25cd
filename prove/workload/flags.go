package workload

import "golang.org/x/sys/unix"

// writeFlags are the RWF_* flags of a write, by the names that people give them.
var writeFlags = [...]struct {
	name string
	bit  int
}{{"nowait", unix.RWF_NOWAIT}, {"append", unix.RWF_APPEND}, {"dsync", unix.RWF_DSYNC}, {"atomic", unix.RWF_ATOMIC}}

// FlagNames lists the names of RWF_* flags.
func FlagNames(flags int) []string {
	var out []string
	for _, f := range writeFlags {
		if flags&f.bit != 0 {
			out = append(out, f.name)
		}
	}
	return out
}

// FlagNamed is the RWF_* flag of this name, 0 when there is none.
func FlagNamed(name string) int {
	for _, f := range writeFlags {
		if f.name == name {
			return f.bit
		}
	}
	return 0
}
