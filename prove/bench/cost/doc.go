// Package cost measures what tracing costs the writer: it makes direct writes of a
// few kinds, untraced and under each tracer by turns, and compares the time a write
// takes. It knows tracers only as programs that are started and stopped, so that
// other tools are measured in the same way as ours.
package cost
