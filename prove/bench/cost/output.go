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
			count, err := strconv.ParseUint(string(n), 10, 64)
			if err != nil {
				return fmt.Errorf("read line %q: %w", line, err)
			}
			c.Lost += count
			return nil
		}
		if !bytes.HasPrefix(line, []byte("W ")) {
			return nil
		}
		f := bytes.Fields(line)
		if len(f) <= scriptInode {
			return fmt.Errorf("read line %q: too short", line)
		}
		if c.First == 0 {
			us, err := strconv.ParseUint(string(f[scriptTime]), 10, 64)
			if err != nil {
				return fmt.Errorf("read line %q: %w", line, err)
			}
			c.First = us * 1000
		}
		ino, err := strconv.ParseUint(string(f[scriptInode]), 10, 64)
		if err != nil {
			return fmt.Errorf("read line %q: %w", line, err)
		}
		c.Writes[ino]++
		return nil
	})
	return c, err
}

// ScriptLost finds the total of lost lines that newer versions of bpftrace write to stderr at
// their end. 0 when there is none.
func ScriptLost(said string) uint64 {
	_, after, _ := strings.Cut(said, "Total lost event count: ")
	n, _, _ := strings.Cut(after, "\n")
	lost, _ := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
	return lost
}

// CountJSON reads the output of live --json.
func CountJSON(r io.Reader) (*Counts, error) {
	c := &Counts{Writes: map[uint64]int{}}
	err := lines(r, func(line []byte) error {
		t, ok := number(line, `"time_ns":`)
		ino, ok2 := number(line, `"ino":`)
		if !ok || !ok2 {
			return fmt.Errorf("read line %.80q: no time_ns or ino", line)
		}
		if c.First == 0 {
			c.First = t
		}
		c.Writes[ino]++
		return nil
	})
	return c, err
}

// number finds the number behind a key; decoding each line would take minutes under emulation.
func number(line []byte, key string) (uint64, bool) {
	_, rest, ok := bytes.Cut(line, []byte(key))
	if !ok {
		return 0, false
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(string(rest[:end]), 10, 64)
	return n, err == nil
}

// lines calls f with every whole line.
func lines(r io.Reader, f func([]byte) error) error {
	br, ok := r.(*bufio.Reader)
	if !ok {
		br = bufio.NewReaderSize(r, 64<<10)
	}
	for {
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
