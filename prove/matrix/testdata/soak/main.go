// Command soak starts and stops a tracer over and over while others write, and writes down
// what each leaves: a line of JSON for the time before, for each round, and for the end.
//
//	soak TRACER DIR WRITERS ROUNDS TIME
//
// TIME is for all rounds; the last one has a fourth of it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// left is what of tracers is in the kernel.
type left struct {
	Programs, Maps, Links int
	Kprobes, Functions    int // lines of kprobe_events, of enabled_functions
}

// memory is what the kernel uses, KiB.
type memory struct{ Percpu, Vmalloc int }

// process is what a tracer uses.
type process struct{ RSS, FDs int }

// line is what is said of a round.
type line struct {
	At            string // before, round, end
	Left          left
	Memory        memory
	Early, Late   process // soon after it saw the first write, and before it was stopped
	Status        int
	Writes, Lines uint64 // seen by it, by its summary and on its output
	Lost          uint64
	StopNs        int64
}

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: soak TRACER DIR WRITERS ROUNDS TIME")
		os.Exit(2)
	}
	rounds, err := strconv.Atoi(os.Args[4])
	check("rounds", err)
	whole, err := time.ParseDuration(os.Args[5])
	check("time", err)
	before := look()
	say(line{At: "before", Left: before, Memory: used()})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go write(os.Args[1], os.Args[2], os.Args[3], stop, stopped)
	for i := range rounds {
		long := whole * 3 / 4 / time.Duration(max(rounds-1, 1))
		if i == rounds-1 {
			long = whole / 4
		}
		l := round(os.Args[1], long)
		l.Left, l.Memory = settled(before), used()
		say(l)
	}
	close(stop)
	<-stopped
	say(line{At: "end", Left: settled(before), Memory: used()})
}

// write has so many writers write, by one seed after the other, until stop is closed.
func write(tracer, dir, writers string, stop, stopped chan struct{}) {
	defer close(stopped)
	for seed := 1; ; seed++ {
		select {
		case <-stop:
			return
		default:
		}
		out, err := exec.Command(tracer, "workload", "mixed", "--dir", dir, "--tasks", writers, "--writes", "60", "--pace", "50ms", "--seed", strconv.Itoa(seed)).CombinedOutput()
		if err != nil {
			check("write", fmt.Errorf("%w: %s", err, out))
		}
	}
}

// round traces for so long.
func round(tracer string, long time.Duration) (l line) {
	l.At = "round"
	cmd := exec.Command(tracer, "live", "--json", "--summary", "/tmp/summary.json")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	check("pipe", err)
	check("start tracer", cmd.Start())
	in := bufio.NewReaderSize(out, 1<<20)
	over := time.Time{}
	var stop time.Time
	for {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		check("read lines", err)
		if !bytes.HasPrefix(text, []byte(`{"time_ns":`)) {
			continue
		}
		l.Lines++
		switch now := time.Now(); {
		case over.IsZero():
			over = now.Add(long)
			l.Early = usedBy(cmd.Process.Pid)
		case stop.IsZero() && now.After(over):
			l.Late = usedBy(cmd.Process.Pid)
			stop = now
			check("stop tracer", cmd.Process.Signal(os.Interrupt))
		}
	}
	_ = cmd.Wait()
	l.StopNs = time.Since(stop).Nanoseconds()
	if l.Status = cmd.ProcessState.ExitCode(); l.Status != 0 {
		fmt.Fprint(os.Stderr, errs.String())
	}
	raw, err := os.ReadFile("/tmp/summary.json")
	check("read summary", err)
	var s struct{ Seen, Lost uint64 }
	check("read summary", json.Unmarshal(raw, &s))
	l.Writes, l.Lost = s.Seen, s.Lost
	return l
}

// settled is what is left once that is no more than before, or does not become less: the
// kernel frees programs and maps some time after the last use.
func settled(before left) (now left) {
	for range 200 {
		if now = look(); now == before {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return now
}

func look() (l left) {
	var err error
	for id := ebpf.ProgramID(0); ; l.Programs++ {
		if id, err = ebpf.ProgramGetNextID(id); err != nil {
			break
		}
	}
	mustEnd("programs", err)
	for id := ebpf.MapID(0); ; l.Maps++ {
		if id, err = ebpf.MapGetNextID(id); err != nil {
			break
		}
	}
	mustEnd("maps", err)
	links := link.Iterator{}
	defer links.Close()
	for links.Next() {
		l.Links++
	}
	check("links", links.Err())
	l.Kprobes, l.Functions = lines("kprobe_events"), lines("enabled_functions")
	return l
}

func mustEnd(what string, err error) {
	if !errors.Is(err, os.ErrNotExist) {
		check(what, err)
	}
}

func lines(file string) int {
	raw, err := os.ReadFile("/sys/kernel/tracing/" + file)
	check("read", err)
	return bytes.Count(raw, []byte("\n"))
}

func used() (m memory) {
	m.Percpu, m.Vmalloc = field("/proc/meminfo", "Percpu:"), field("/proc/meminfo", "VmallocUsed:")
	return m
}

func usedBy(pid int) (p process) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	p.RSS = field(dir+"status", "VmRSS:")
	fds, err := os.ReadDir(dir + "fd")
	check("read", err)
	p.FDs = len(fds)
	return p
}

// field is a number of a file that names it.
func field(file, name string) int {
	raw, err := os.ReadFile(file)
	check("read", err)
	_, rest, ok := strings.Cut(string(raw), name)
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		check("read", fmt.Errorf("%s has no %s", file, name))
	}
	n, err := strconv.Atoi(words[0])
	check("read", err)
	return n
}

func say(l line) {
	check("say", json.NewEncoder(os.Stdout).Encode(l))
}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "soak: %s: %v\n", what, err)
		os.Exit(1)
	}
}
