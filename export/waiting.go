package export

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export/schema"
	"github.com/ext4dio/ext4dio-trace/record"
)

func waitsKnown(r *Row) bool { return r.WaitNs.Known }

var causeOfWaitWords = schema.WordsOf("causeOfWaitWords", "", observe.NumCauses, observe.Cause.String)

var insideWords = schema.WordsOf("insideWords", "", record.NumInsideStages, func(n record.InsideStage) string { return n.String() })

var waitFields = schema.New(
	schema.Int("ns", "ns", "how long", func(w *observe.Wait) *uint64 { return &w.Ns }),
	schema.Enum("mode", "mode of i_rwsem that it waited for", modeWords, func(w *observe.Wait) *record.Lock { return &w.Lock }),
	schema.List("holders", "who was waited for: parts that are disjoint and add up to ns", holderFields, nil, func(w *observe.Wait) *[]observe.Part { return &w.Parts }),
	schema.Int("at_us", "us", "its end, since the entry of the write", func(w *observe.Wait) *uint32 { return &w.AtUs }),
)

var holderFields = schema.New(
	schema.Int("ns", "ns", "how long this part was", func(p *observe.Part) *uint64 { return &p.Ns }),
	schema.Enum("cause", "held: others held the lock; queued: another stood before in the queue; woken: the holder had let go of it, and who got it next did not run yet; unknown: nobody who was seen did", causeOfWaitWords,
		func(p *observe.Part) *observe.Cause { return &p.Cause }),
	schema.Enum("mode", "mode in which it was held, or queued for", modeWords, func(p *observe.Part) *record.Lock { return &p.Mode }),
	schema.Text("op", "what the holder does: write, direct-read, buffered-write, fallocate:punch-hole, truncate and so on; write is a direct write that is recorded, unknown:FUNCTION an operation without a probe in a function of the kernel", func(p *observe.Part) *string { return &p.Op }).OrNull().Filtered("holder"),
	schema.Text("comm", "name of its thread", func(p *observe.Part) *string { return &p.Comm }).OrNull().Filtered("holdercomm"),
	schema.Int("pid", "", "its process", func(p *observe.Part) *uint32 { return &p.Pid }).In32().If(hasActor).Filtered("holderpid"),
	schema.Int("tid", "", "its thread", func(p *observe.Part) *uint32 { return &p.Tid }).In32().If(hasActor),
	schema.Int("write", "", "number of its write, as explain --seq takes it; null where it has none yet", func(p *observe.Part) *uint64 { return &p.Write }).If(hasWrite),
	schema.Int("others", "", "how many more held it shared together with this one", func(p *observe.Part) *int { return &p.Others }).In32(),
	schema.Int("held_ns", "ns", "how long the holder held the lock in all; null where that was not seen, and of queued", func(p *observe.Part) *uint64 { return &p.HeldNs }).If(hasHeld),
	schema.Int("before_ns", "ns", "how much of it, or of the time in the queue, was over when this wait began", func(p *observe.Part) *uint64 { return &p.BeforeNs }).If(hasActor),
	schema.Int("queued_ns", "ns", "how long the holder, or the one before in the queue, was queued for the lock", func(p *observe.Part) *uint64 { return &p.QueuedNs }).If(hasActor),
	schema.Bool("bound", "ns is the most that the holder can have held it: when it took the lock, or let go of it, was not seen; of woken: who got it next did not queue, and may have had it for some of ns", func(p *observe.Part) *bool { return &p.Bound }),
	schema.Int("drain_ns", "ns", "how long the holder itself waited for direct I/O in flight (inode_dio_wait)", func(p *observe.Part) *uint64 { return &p.DrainNs }).If(hasActor),
	schema.Int("drain_writes", "", "for how many recorded writes that was", func(p *observe.Part) *int { return &p.DrainWrites }).In32().If(hasActor),
	schema.List("drained_for", "some of them", drainedFields, nil, func(p *observe.Part) *[]observe.Actor { return &p.DrainedFor }),
	schema.List("behind", "of queued: for whom the one before in the queue waited itself, for most of the time; empty where that is not known", linkFields, nil,
		func(p *observe.Part) *[]observe.Link { return &p.Behind }),
	schema.Int("chain", "", "of queued: how many wait for one another from that one on, who held the lock included", func(p *observe.Part) *int { return &p.Chain }).In32(),
)

var drainedFields = schema.New(
	schema.Text("comm", "name of its thread", func(a *observe.Actor) *string { return &a.Comm }),
	schema.Int("pid", "", "its process", func(a *observe.Actor) *uint32 { return &a.Pid }).In32(),
	schema.Int("tid", "", "its thread", func(a *observe.Actor) *uint32 { return &a.Tid }).In32(),
	schema.Int("write", "", "its number, as explain --seq takes it", func(a *observe.Actor) *uint64 { return &a.Write }),
)

var linkFields = schema.New(
	schema.Int("ns", "ns", "how much of this part that was", func(l *observe.Link) *uint64 { return &l.Ns }),
	schema.Enum("cause", "as above", causeOfWaitWords, func(l *observe.Link) *observe.Cause { return &l.Cause }),
	schema.Enum("mode", "mode in which it was held, or queued for", modeWords, func(l *observe.Link) *record.Lock { return &l.Mode }),
	schema.Text("op", "what the holder does: write is a direct write", func(l *observe.Link) *string { return &l.Op }).OrNull(),
	schema.Text("comm", "name of its thread", func(l *observe.Link) *string { return &l.Comm }).OrNull(),
	schema.Int("pid", "", "its process", func(l *observe.Link) *uint32 { return &l.Pid }).In32(),
	schema.Int("tid", "", "its thread", func(l *observe.Link) *uint32 { return &l.Tid }).In32(),
	schema.Int("write", "", "number of its write; null where it has none yet", func(l *observe.Link) *uint64 { return &l.Write }).If(linkHasWrite),
	schema.Int("others", "", "how many more held it shared together with this one", func(l *observe.Link) *int { return &l.Others }).In32(),
)

func linkHasWrite(l *observe.Link) bool { return l.Write != 0 }

func hasHeld(p *observe.Part) bool { return p.HeldNs != 0 }

func hasActor(p *observe.Part) bool { return p.Op != "" }
func hasWrite(p *observe.Part) bool { return p.Write != 0 }

// WaitedFor says in words for whom a write was queued for i_rwsem, a line for each part of
// the waits. The lines add up to all, ns.
func WaitedFor(waits []observe.Wait, all uint64) (lines []string) {
	for i := range waits {
		for k := range waits[i].Parts {
			p := &waits[i].Parts[k]
			lines = append(lines, partText(p))
			all -= min(all, p.Ns)
		}
	}
	if all > 0 {
		lines = append(lines, Duration(all)+": it is not recorded for whom")
	}
	return lines
}

func partText(p *observe.Part) string {
	mode, ns := cmp.Or(ModeName(p.Mode), "in a mode that is not known"), Duration(p.Ns)
	if p.Bound {
		ns += " at most"
	}
	switch {
	case p.Cause == observe.CauseUnknown:
		return ns + ": not known, nobody who was seen held it"
	case p.Cause == observe.CauseWoken:
		return fmt.Sprintf("%s: woken after %s had let go of it", ns, ActorText(&p.Actor))
	case p.Op == "":
		return fmt.Sprintf("%s: %s more held it", ns, Plural(uint64(p.Others), "write"))
	case p.Cause == observe.CauseQueued:
		return fmt.Sprintf("%s: queued behind %s, which waited for it %s%s%s", ns, ActorText(&p.Actor), mode, before(p.BeforeNs), behindText(p))
	}
	return fmt.Sprintf("%s: %s%s held it %s%s%s", ns, ActorText(&p.Actor), andOthers(p.Others), mode, heldText(p), drainText(p))
}

func andOthers(n int) string {
	if n == 0 {
		return ""
	}
	return " and " + Plural(uint64(n), "other")
}

func before(ns uint64) string {
	if ns == 0 {
		return ""
	}
	return ", " + Duration(ns) + " before"
}

// heldText says how long the holder held the lock, where that is more than the part.
func heldText(p *observe.Part) string {
	if p.HeldNs <= p.Ns {
		return before(p.BeforeNs)
	}
	return ", " + Duration(p.HeldNs) + " in all" + before(p.BeforeNs)
}

// drainText says for what the holder waited itself.
func drainText(p *observe.Part) string {
	if p.DrainNs == 0 {
		return ""
	}
	text := "; it waited " + Duration(p.DrainNs) + " for direct I/O in flight"
	if len(p.DrainedFor) > 0 {
		text += fmt.Sprintf(": %s, %s among them", Plural(uint64(p.DrainWrites), "write"), ActorText(&p.DrainedFor[0]))
	}
	return text
}

// behindText says for whom the one before in the queue waited.
func behindText(p *observe.Part) string {
	if len(p.Behind) == 0 {
		return ""
	}
	l := &p.Behind[0]
	how := "held it " + ModeName(l.Mode)
	if l.Cause == observe.CauseQueued {
		how = "was queued, too"
	}
	text := fmt.Sprintf("; for %s%s, which %s", ActorText(&l.Actor), andOthers(l.Others), strings.TrimSpace(how))
	if p.Chain > 2 {
		text += fmt.Sprintf(", a chain of %d", p.Chain)
	}
	return text
}

// ActorText names who held the lock or waited for it.
func ActorText(a *observe.Actor) string {
	text := fmt.Sprintf("%s tid %d", Safe(a.Comm), a.Tid)
	switch {
	case a.Write != 0:
		return fmt.Sprintf("#%d %s", a.Write, text)
	case a.Op == observe.OpWrite || a.Op == "":
		return text
	}
	return fmt.Sprintf("%s of %s pid %d tid %d", Safe(a.Op), Safe(a.Comm), a.Pid, a.Tid)
}
