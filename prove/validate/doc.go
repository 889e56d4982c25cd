// Package validate carries out scenarios on a real ext4 and compares what the
// kernel was seen to decide with what each scenario expects.
//
// A scenario is text: a layout, writes, and the expected decision of each kernel
// variant as literals that a person wrote down from the kernel's source. Nothing
// here computes an expectation, and nothing here asks the model for one; the
// model's verdict is reported beside as a second opinion.
//
// The format is described in scenarios/FORMAT.md.
package validate
