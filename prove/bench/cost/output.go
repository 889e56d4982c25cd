package cost

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Steps of our own capture, the values of Drained.At.
const (
	AtAttached = "attached" // nothing has been captured yet
	AtFirst    = "first"    // the first record is there
	AtEnd      = "end"
)

// Drained is a line of the output of our own capture without anything behind it: one
// for each of the steps.
type Drained struct {
	At     string         `json:"at"`
	Time   uint64         `json:"time_ns,omitempty"` // of CLOCK_MONOTONIC: attached, or begin of the first write
	Writes map[uint64]int `json:"writes,omitempty"`  // at the end, by inode number
	Lost   uint64         `json:"lost"`              // at the end
	// Programs are the BPF programs so far, where their runs are counted.
	Programs []Program `json:"programs,omitempty"`
}

// Program is what the kernel says about one BPF program. Of a load, Runs and Ns
// are for its writes alone.
type Program struct {
	Name    string `json:"name"`
	Func    string `json:"func"`
	How     string `json:"how"`
	Runs    uint64 `json:"runs"`
	Ns      uint64 `json:"ns"`      // in all runs, without the way to the program
	Insns   int    `json:"insns"`   // BPF instructions after translation
	Machine int    `json:"machine"` // bytes of machine code
}

// CountDrained reads lines of Drained. The runs of programs are those since the first
// record, or without one since attaching.
func CountDrained(r io.Reader) (*Counts, error) {
	c := &Counts{}
	var before []Program
	err := lines(r, func(line []byte) error {
		var d Drained
		if err := json.Unmarshal(line, &d); err != nil {
			return fmt.Errorf("read what was drained: %w", err)
		}
		switch d.At {
		case AtAttached:
			c.Attached, before = d.Time, d.Programs
		case AtFirst:
			c.First, before = d.Time, d.Programs
		case AtEnd:
			c.Writes, c.Lost, c.Programs = d.Writes, d.Lost, d.Programs
		default:
			return fmt.Errorf("read line %.80q: no such step", line)
		}
		return nil
	})
	for i := range c.Programs {
		if i < len(before) {
			c.Programs[i].Runs -= before[i].Runs
			c.Programs[i].Ns -= before[i].Ns
		}
	}
	return c, err
}

// The columns of a line "W" of the bpftrace scripts, see the head of each of them.
const (
	scriptTime  = 1 // microseconds, since boot
	scriptInode = 6
)

// CountScript reads the output of the bpftrace scripts: a line "W …" for each write.
func CountScript(r io.Reader) (*Counts, error) {
	c := &Counts{Writes: map[uint64]int{}}
	err := lines(r, func(line []byte) error {
		if lost, ok := bytes.CutPrefix(line, []byte("Lost ")); ok {
			n, _, _ := bytes.Cut(lost, []byte(" "))
			count, err := number(line, n)
			c.Lost += count
			return err
		}
		if !bytes.HasPrefix(line, []byte("W ")) {
			return nil
		}
		f := bytes.Fields(line)
		if len(f) <= scriptInode {
			return fmt.Errorf("read line %q: too short", line)
		}
		if c.First == 0 {
			us, err := number(line, f[scriptTime])
			if err != nil {
				return err
			}
			c.First = us * 1000
		}
		ino, err := number(line, f[scriptInode])
		if err == nil {
			c.Writes[ino]++
		}
		return err
	})
	return c, err
}

// number reads a field of a line.
func number(line, field []byte) (uint64, error) {
	n, err := strconv.ParseUint(string(field), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read line %q: %w", line, err)
	}
	return n, nil
}

// ScriptLost finds the total of lost lines that newer versions of bpftrace write to stderr at
// their end. 0 when there is none.
func ScriptLost(said string) uint64 {
	_, after, _ := strings.Cut(said, "Total lost event count: ")
	n, _, _ := strings.Cut(after, "\n")
	lost, _ := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
	return lost
}

// lines calls f with every whole line.
func lines(r io.Reader, f func([]byte) error) error {
	for br := bufio.NewReaderSize(r, 1<<20); ; {
		line, err := br.ReadSlice('\n')
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return fmt.Errorf("read output: %w", err)
		}
		if err := f(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
}
