// Package fio writes judged writes as a job file of fio(1) with one I/O log (version 3)
// for each task, so that they can be replayed with their times, positions and lengths,
// on files of their own.
//
// Names of the traced system stand in comments only, escaped. Memory is bounded: tasks
// beyond a limit share a log, and files beyond another are left out and counted.
package fio
