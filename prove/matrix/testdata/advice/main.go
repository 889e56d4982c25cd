// Command cause makes direct writes that lose time for one known cause, or the same ones with
// its remedy applied:
//
//	cause prepare NAME FORM DIR    lay out the file
//	cause run NAME FORM DIR        write, and say how much in how long, as a line of JSON
//
// FORM is "before", or what was changed: "after", or another that the cause has.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// cause is one cause with its remedies, or a load that has none.
type cause struct {
	name  string
	forms []string    // the first is before
	file  func(*load) // lays out
	run   func(*load) // writes
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: cause prepare|run NAME FORM DIR")
		os.Exit(2)
	}
	name, form := os.Args[2], os.Args[3]
	at := slices.IndexFunc(causes, func(c cause) bool { return c.name == name })
	if at < 0 || !slices.Contains(causes[at].forms, form) {
		check("look up "+name, fmt.Errorf("there is no form %s of it", form))
	}
	l := &load{path: filepath.Join(os.Args[4], name+"-"+form), form: form}
	if os.Args[1] == "prepare" {
		causes[at].file(l)
		return
	}
	start := time.Now()
	causes[at].run(l)
	l.wait()
	l.Seconds = time.Since(start).Seconds()
	check("tell", json.NewEncoder(os.Stdout).Encode(&l.done))
}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cause:", what, err)
		os.Exit(9)
	}
}
