// Package perfetto writes judged writes as a Perfetto trace (protobuf), for
// ui.perfetto.dev and trace_processor. Every inode has tracks for who held i_rwsem in
// which mode, who waited for it, what was zeroed, what was in flight, and where kernel
// and model disagree; every task has a track of its writes, with the parts of their time
// where that was measured.
//
// When i_rwsem was released is not observed: it is shown as held until the next
// thing that proves it was not, at the latest until the write returned. Texts that
// come from the system are escaped. Memory does not grow with the number of writes.
package perfetto
