// Package probes finds out what the running kernel offers, plans which BPF
// program is attached where and how, attaches them, and hands out the raw
// records with everything known to be lost.
//
// The plan is a pure function of recorded facts, so it is tested for kernels
// that are not running. The package never interprets a record.
//
// CachedLookup stands apart: it asks the kernel one question, by a BPF object of
// its own, which no write is a part of.
package probes
