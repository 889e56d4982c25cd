package probes

import (
	"strings"
	"testing"
)

// Names are told from their variants with a suffix, and modules from built-in
// code; addresses that the kernel hides stay 0.
func TestScanKallsyms(t *testing.T) {
	f := &Facts{Funcs: map[string]Func{}, Addresses: map[string]uint64{}}
	err := f.scanKallsyms(strings.NewReader(strings.Join([]string{
		"ffffffff81000000 T iomap_dio_rw",
		"ffffffff81000040 t iomap_dio_zero.isra.0",
		"ffffffff81000080 T aio_complete_rw",
		"ffffffff810000c0 t file_modified",
		"ffffffff81000100 T file_modified",
		"0000000000000000 t lo_rw_aio_complete\t[loop]",
		"ffffffffc0000000 t ext4_file_write_iter\t[ext4]",
		"ffffffffc0000040 t ext4_map_query_blocks.constprop.0\t[ext4]",
		"ffffffffc0000080 T ext4_map_blocks_other\t[ext4]",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Func{
		"iomap_dio_rw":         {Symbol: true, addr: 0xffffffff81000000},
		"iomap_dio_zero":       {Suffix: true},
		"ext4_file_write_iter": {Symbol: true, Module: true, addr: 0xffffffffc0000000},
		"file_modified":        {Symbol: true}, // which of the two, the kernel decides
		"ext4_map_blocks":      {},
	} {
		if f.Funcs[name] != want {
			t.Errorf("%s: %+v, want %+v", name, f.Funcs[name], want)
		}
	}
	if f.Ext4 != "module" {
		t.Errorf("ext4 is %q, want module", f.Ext4)
	}
	if f.Addresses["aio_complete_rw"] != 0xffffffff81000080 || f.Addresses["lo_rw_aio_complete"] != 0 {
		t.Errorf("addresses %x", f.Addresses)
	}
}

// A realtime kernel says so in its build string, wherever debugfs is.
func TestPreemptionOfRealtime(t *testing.T) {
	if got := preemption("#1 SMP PREEMPT_RT Debian 7.3.4-1"); got != "rt" {
		t.Errorf("preemption of a realtime kernel is %q", got)
	}
}
