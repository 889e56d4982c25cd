// Package tui is the live view on a terminal: whether writers are serialised and why, by
// file, process and reason; who waits for whom; the writes one by one; everything about one
// of them; and what the kernel and the model disagree about.
//
// A screen is a value: newTabs lists the tabs, and what is opened over one lies on a
// stack, of which the top has the keys and the mouse. It is fed with snapshots, at most
// ten a second, however many writes there are. Update does no I/O, View changes nothing,
// and nothing is drawn before the size of the terminal is known.
package tui
