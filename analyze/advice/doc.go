// Package advice draws the conclusion from the writes of a trace: what costs them time, why
// the kernel does it, and what changes it. The catalogue is in catalogue.go and in
// docs/advice.md, each entry with the test on real kernels that proves its remedies.
//
// Each write that is exclusive, refused or buffered has one cause, told from the verdict of
// the reference model (cause.go). What is lost is told from who waited for whom (lost.go).
// Who is healthy gets no advice: what is worth a word is in one place, significant.go.
//
// A Counter takes each write once, and its memory is bounded.
package advice
