package perfetto

import "encoding/binary"

// Fields of the messages of perfetto_trace.proto that are written.
const (
	tracePacket = 1

	packetClockSnapshot = 6
	packetTimestamp     = 8
	packetSequenceID    = 10
	packetTrackEvent    = 11
	packetInterned      = 12
	packetSequenceFlags = 13
	packetDefaults      = 59
	packetDescriptor    = 60

	snapshotClock   = 1
	snapshotPrimary = 2
	clockID         = 1
	clockTime       = 2
	defaultsClock   = 58

	descriptorUUID        = 1
	descriptorName        = 2
	descriptorProcess     = 3
	descriptorThread      = 4
	descriptorParent      = 5
	descriptorOrdering    = 11
	descriptorRank        = 12
	descriptorDescription = 14
	processPid            = 1
	processName           = 6
	threadPid             = 1
	threadTid             = 2
	threadName            = 5

	eventCategoryIID = 3
	eventAnnotation  = 4
	eventType        = 9
	eventNameIID     = 10
	eventTrack       = 11

	annotationNameIID = 1
	annotationInt     = 4
	annotationTextIID = 17

	internedCategories  = 1
	internedNames       = 2
	internedAnnotations = 3
	internedTexts       = 29
	internedIID         = 1
	internedText        = 2

	typeBegin   = 1
	typeEnd     = 2
	typeInstant = 3

	stateCleared = 1 // SEQ_INCREMENTAL_STATE_CLEARED
	needsState   = 2 // SEQ_NEEDS_INCREMENTAL_STATE

	orderExplicit = 3

	clockRealtime  = 1
	clockMonotonic = 3
	clockBoottime  = 6
)

// message is a protobuf message that is being made.
type message []byte

func (m *message) uint(field int, v uint64) {
	*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3), v)
}

func (m *message) int(field int, v int64) { m.uint(field, uint64(v)) }

func (m *message) text(field int, s string) {
	*m = append(binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3|2), uint64(len(s))), s...)
}

// lengthRoom is the room that is kept for the length of a nested message. A varint may
// be longer than it has to.
const lengthRoom = 4

// begin begins a nested message, which end ends at the place that begin returned.
func (m *message) begin(field int) int {
	*m = append(binary.AppendUvarint(*m, uint64(field)<<3|2), 0, 0, 0, 0)
	return len(*m)
}

func (m *message) end(at int) {
	n := len(*m) - at
	b := (*m)[at-lengthRoom : at]
	for i := range lengthRoom - 1 {
		b[i] = byte(n>>(7*i)) | 0x80
	}
	b[lengthRoom-1] = byte(n >> (7 * (lengthRoom - 1)) & 0x7f)
}
