package export_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	"github.com/ext4dio/ext4dio-trace/record"
)

// heldSamples are holders of all sorts.
var heldSamples = []observe.Hold{
	{
		Actor: observe.Actor{Op: "fallocate:punch-hole", Comm: "fs\x1btrim", Pid: 77, Tid: 78}, Kind: record.HoldFallocate,
		Dev: 8 << 20, Ino: 14, Generation: 5, Mode: record.LockExclusive, Flags: record.HolderQueued | record.HolderInside,
		Time: 900, From: 1000, To: 1500, QueuedNs: 90, Pos: 4096, Len: 8192, GlobalTid: 1078,
		DrainAt: 1100, DrainNs: 200, DrainCount: 3, DrainWrites: 2, DrainedFor: []observe.Actor{{Comm: "fio", Pid: 5, Tid: 6, Write: 17}},
	},
	{Actor: observe.Actor{Op: "direct-read", Comm: "r"}, Kind: record.HoldRead, Mode: record.LockShared, From: 3, To: 5, Len: 512},
	{Actor: observe.Actor{Op: "truncate", Comm: "r"}, Kind: record.HoldSetattr, Mode: record.LockExclusive, From: 3, To: 5, Len: 100},
	{Actor: observe.Actor{Op: "unknown", Comm: "swapon"}, Flags: record.HolderOwner, From: 3, To: 5},
}

// A hold has a line with who, what, when and where; what has no meaning for an operation, or is
// not known, is null and not 0.
func TestHoldLine(t *testing.T) {
	for i, want := range []string{
		`{"kind":"hold","time_ns":900,"from_ns":1000,"to_ns":1500,"held_ns":500,"queued_ns":90,"bound":true,"flags":["queued","inside"],` +
			`"op":"fallocate:punch-hole","mode":"exclusive","comm":"fs\u001btrim","pid":77,"tid":78,"global_tid":1078,"dev":"8:0","ino":14,` +
			`"generation":5,"path":"/mnt/a\u001bb","pos":4096,"len":8192,"drain_ns":200,"drain_at_ns":1100,"drain_count":3,"drain_writes":2,` +
			`"drained_for":[{"comm":"fio","pid":5,"tid":6,"write":17}]}`,
		`"bound":false,"flags":[],"op":"direct-read","mode":"shared"|"global_tid":null|"pos":0,"len":512,"drain_ns":0,"drain_at_ns":null,` +
			`"drain_count":null,"drain_writes":null,"drained_for":[]`,
		`"op":"truncate"|"pos":null,"len":100`,
		`"bound":true,"flags":["owner"],"op":"unknown","mode":null,"comm":"swapon"|"pos":null,"len":null`,
	} {
		line := string(export.AppendHold(nil, &heldSamples[i], "/mnt/a\x1bb"))
		for _, part := range strings.Split(want, "|") {
			if !strings.Contains(line, part) {
				t.Errorf("%s is not in\n%s", part, line)
			}
		}
	}
	if line := export.AppendHold(nil, &heldSamples[1], ""); !bytes.Contains(line, []byte(`"path":null`)) {
		t.Errorf("a file without a name: %s", line)
	}
}

// Names are told as those of writes are: who looks for a thread finds it in both.
func TestHoldNamesAreThoseOfWrites(t *testing.T) {
	row := exporttest.Rows()[0]
	for _, name := range exporttest.Hostile {
		row.Comm, row.Path = name, "/mnt/"+name
		hold := observe.Hold{Actor: observe.Actor{Comm: name}, From: 1, To: 2}
		var of, by struct{ Comm, Path string }
		if err := json.Unmarshal(row.AppendJSON(nil), &of); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(export.AppendHold(nil, &hold, row.Path), &by); err != nil {
			t.Fatal(err)
		}
		if of != by {
			t.Errorf("a write has %q, a hold %q", of, by)
		}
	}
}
