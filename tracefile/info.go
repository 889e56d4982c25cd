package tracefile

import (
	"encoding/json"
	"time"

	"github.com/ext4dio/ext4dio-trace/record"
)

// Info is what a file says about itself before its first record.
type Info struct {
	Tool    string    `json:"tool"` // version of the program
	Command []string  `json:"command"`
	Began   time.Time `json:"began"`
	// Monotonic and Boot are CLOCK_MONOTONIC and CLOCK_BOOTTIME at Began, ns; the
	// records are in the former.
	Monotonic uint64 `json:"monotonic_ns"`
	Boot      uint64 `json:"boot_ns"`
	Host      string `json:"host,omitempty"`

	Release  string `json:"release"`
	Build    string `json:"build"`
	Arch     string `json:"arch"`
	PageSize int    `json:"page_size"`
	CPUs     int    `json:"cpus"`

	// Facts and Plan are those of package probes: what the variant is told from, and
	// which probes were attached how.
	Facts json.RawMessage `json:"facts,omitempty"`
	Plan  json.RawMessage `json:"plan,omitempty"`

	FileSystems []FileSystem `json:"file_systems"`
}

// FileSystem is one ext4 that was mounted when tracing began.
type FileSystem struct {
	Dev       string   `json:"dev"` // MAJOR:MINOR
	Source    string   `json:"source"`
	Mount     string   `json:"mount"`
	Options   string   `json:"options"`
	BlockSize int      `json:"block_size"`
	Features  []string `json:"features,omitempty"`
}

// End is what a file says behind its last record when it was closed.
type End struct {
	Records uint64        `json:"records"`
	Writes  uint64        `json:"writes"`
	Losses  record.Losses `json:"losses"`
}
