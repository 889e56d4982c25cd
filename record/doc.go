// Package record is the Go side of bpf/record.h: the records that the BPF programs send,
// their length-checked parsing, and the counters of what was lost. Where each field lies
// is in fields_gen.go, which is made from the BTF of the committed objects, and nowhere
// else.
//
// It is the one contract between C and Go. It knows nothing of ext4's decisions
// (package decode/observe does) and must never panic on bytes, wherever they come from.
package record
