package observe

// Thread is the number of the thread that wrote in the first pid namespace, which no other
// thread has.
func (o *Observation) Thread() uint32 {
	if o.GlobalTid != 0 {
		return o.GlobalTid
	}
	return o.Tid
}

// Seen is the number by which the tracer finds the process in /proc; 0 when it does not.
func (o *Observation) Seen() uint32 {
	if o.Foreign {
		return 0
	}
	return o.Pid
}
