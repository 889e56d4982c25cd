package export_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/export/exporttest"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestJSONJudgedAgain: a line holds all that a verdict is made from. What is read
// back from it gets the same verdict under every variant, and writes the same line.
func TestJSONJudgedAgain(t *testing.T) {
	for _, s := range exporttest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			var r export.Row
			m := export.Maker{Names: exporttest.Paths{}}
			m.Fill(&r, s.Obs, s.Ver)
			line := r.AppendJSON(nil)
			back, err := export.ParseJSON(line)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range model.Variants() {
				want, got := judge.Compare(s.Obs, v), judge.Compare(back.Observation(), v)
				if !reflect.DeepEqual(want, got) {
					t.Errorf("%s: judged %+v, read back %+v", v, want, got)
				}
			}
			back.Path = r.Path
			var again export.Row
			m.Fill(&again, back.Observation(), s.Ver)
			if l := again.AppendJSON(nil); !bytes.Equal(l, line) && !strings.Contains(s.Name, "hostile") {
				t.Errorf("read back as another line:\n%s\n%s", line, l)
			}
		})
	}
}

func TestParseJSONErrors(t *testing.T) {
	var good export.Row
	m := export.Maker{}
	m.Fill(&good, exporttest.Samples()[0].Obs, nil)
	line := string(good.AppendJSON(nil))
	replaced := func(old, new string) string {
		if !strings.Contains(line, old) {
			t.Fatalf("%q is not in %s", old, line)
		}
		return strings.Replace(line, old, new, 1)
	}
	tests := []struct{ name, line, want string }{
		{"no JSON", "hello", "read JSON: invalid character"},
		{"another object", `{"a":1}`, export.ErrNoFacts.Error()},
		{"cut", line[:len(line)/2], "read JSON: unexpected EOF"},
		{"stage", replaced(`"entry"`, `"enter"`), `stages: "enter" is not known`},
		{"device", replaced(`"dev":"8:0"`, `"dev":"sda"`), `dev: "sda" is not known`},
		{"lock", replaced(`"lock":"shared"`, `"lock":"held"`), `lock: "held" is not known`},
		{"block size", replaced(`"blocksize":4096`, `"blocksize":4000`), `blocksize: "4000" is not known`},
		{"caller", replaced(`"caller":"sync"`, `"caller":"me"`), `caller: "me" is not known`},
		{"number that is too large", replaced(`"pid":1201`, `"pid":4294967296`), `pid: "4294967296" is not known`},
		{"text for a number", replaced(`"tid":1203`, `"tid":"x"`), `tid: "x" is not known`},
		{"place", replaced(`"i_disksize":1073741824`, `"i_disksize":true`), `facts.checks.i_disksize: "true" is not known`},
		{"type", replaced(`"type":"mapped"`, `"type":"mapped?"`), `type: "mapped?" is not known`},
	}
	for _, tt := range tests {
		_, err := export.ParseJSON([]byte(tt.line))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q in it", tt.name, err, tt.want)
		}
	}
	if _, err := export.ParseJSON([]byte("{}")); !errors.Is(err, export.ErrNoFacts) {
		t.Errorf("an empty object: %v", err)
	}
}

// FuzzParseJSON: any line gives a row that can be judged, or an error.
func FuzzParseJSON(f *testing.F) {
	for _, r := range exporttest.Rows() {
		f.Add(r.AppendJSON(nil))
	}
	f.Fuzz(func(_ *testing.T, line []byte) {
		r, err := export.ParseJSON(line)
		if err != nil {
			return
		}
		for _, v := range model.Variants() {
			judge.Compare(r.Observation(), v)
		}
		r.AppendJSON(nil)
	})
}
