// Command holders has direct writes wait for i_rwsem, and writes down what it did: a line
// of JSON for each thing of its own that takes the lock, with the times before and after
// the system call.
//
//	holders TRUTH DIR SCENARIO...
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// scenarios are what it can do, each with a file of its own.
var scenarios = map[string]func(*scenario){
	"readers":  readers,
	"ranges":   ranges,
	"inflight": inflight,
	"buffered": buffered,
	"loop":     loop,
	"queue":    queue,
	"swapon":   swapon,
	"rename":   rename,
	"left-out": leftOut,
	"fast":     fast,
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: holders TRUTH DIR SCENARIO...")
		os.Exit(2)
	}
	out, err := os.Create(os.Args[1])
	check("create", err)
	for _, name := range os.Args[3:] {
		run := scenarios[name]
		if run == nil {
			check("scenario", fmt.Errorf("there is no %s", name))
		}
		s := newScenario(name, filepath.Join(os.Args[2], name))
		run(s)
		check("write down", s.writeDown(out))
	}
	check("close", out.Close())
}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "holders:", what, err)
		os.Exit(9)
	}
}
