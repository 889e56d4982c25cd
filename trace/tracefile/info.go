package tracefile

import (
	"encoding/json"
	"time"

	"github.com/ext4dio/ext4dio-trace/internal/ext4fs"
)

// Info is what a file says about itself before its first record.
type Info struct {
	// ID is the same in all parts of one recording, and in no other; Part counts them
	// from 0.
	ID   string `json:"id"`
	Part int    `json:"part"`

	Tool    string    `json:"tool"` // version of the program
	Command []string  `json:"command"`
	Began   time.Time `json:"began"`
	// Monotonic and Boot are CLOCK_MONOTONIC and CLOCK_BOOTTIME at Began, ns; the
	// records are in the former.
	Monotonic uint64 `json:"monotonic_ns"`
	Boot      uint64 `json:"boot_ns"`
	BootID    string `json:"boot_id,omitempty"`
	Host      string `json:"host,omitempty"`

	Release  string `json:"release"`
	Build    string `json:"build"`
	Arch     string `json:"arch"`
	PageSize int    `json:"page_size"`
	CPUs     int    `json:"cpus"` // possible ones

	// Facts and Plan are those of package probes: what the variant is told from, and
	// which probes were attached how, or why not.
	Facts json.RawMessage `json:"facts,omitempty"`
	Plan  json.RawMessage `json:"plan,omitempty"`
	// Variant is what the kernel was judged as: auto, or a name.
	Variant string `json:"variant,omitempty"`
	// Excluded says which writes were not recorded on purpose, in words.
	Excluded string `json:"excluded,omitempty"`

	// FileSystems are those that were mounted when recording began, and behind them, as
	// far as they were read, those that were mounted later and written to.
	FileSystems []ext4fs.Mount `json:"file_systems"`
}

// End is what a file says behind its last record when it was closed.
type End struct {
	Records uint64 `json:"records"`
	Writes  uint64 `json:"writes"`
	// Continued says that the recording goes on in the next part.
	Continued bool `json:"continued,omitempty"`
}

// Wall is when a time of a record was, by the clock on the wall.
func (i *Info) Wall(t uint64) time.Time {
	return i.Began.Add(time.Duration(int64(t - i.Monotonic)))
}
