// Package series tells from direct writes which of the eight patches of "ext4:
// allow more DIO writes under shared i_rwsem" a kernel holds.
//
// It asks two questions that do not depend on each other. Signs look at one write
// and at what only a kernel with, or only a kernel without, a patch can do; they
// use nothing of the model. And every write is judged under every variant that the
// kernel can be by its symbols: the variant that explains all is what the kernel
// is, and a decision that none explains is wrong whatever the kernel is meant to
// be.
package series
