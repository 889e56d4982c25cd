package xfsio

import "testing"

func TestCommands(t *testing.T) {
	for want, got := range map[string]string{
		`xfs_io -d -c "pwrite -q -b 4k -N -V 1 -S 0x41 512 4k" "$f1"`: Line("-d", `"$f1"`, Write{Off: 512, Len: 4096, Block: 4096, NoWait: true, Quiet: true, Pattern: Pattern(26)}.String()),
		"pwrite -b 512 -D -V 1 -S 0x42 0 512":                         Write{Len: 512, Block: 512, DSync: true, Pattern: Pattern(1)}.String(),
		"pwrite -S 0x42 0 512":                                        Write{Len: 512, Vectors: 1, Pattern: Pattern(1)}.String(),
		"pwrite -b 256 -V 2 -S 0x42 0 512":                            Write{Len: 512, Block: 256, Vectors: 2, Pattern: Pattern(1)}.String(),
		`xfs_io -c "fsync" -c "fadvise -d 0 0" f`:                     Forget("f"),
		"falloc -k 1k 1000":                                           KeepSize(1024, 1000),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
