// Package explain puts a decision about one direct write into words: the layout
// as a small drawing, the procedure step by step as the kernel walks it, and the
// outcome; for one variant, for several side by side, or beside what was observed.
// It decides nothing itself.
package explain
