package matrix

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

func TestMatrixTable(t *testing.T) {
	good := `{"kernel":"7.3.4 (#1)","variant":"linux-7.3","seconds":61.2,"result":"passed",
		"series":{"patches":[{"patch":1,"answer":"present"},{"patch":6,"answer":"absent"},{"patch":7,"answer":"contradictory"}]},
		"configs":[{"scenarios":{"passed":10,"failed":0,"skipped":2},"generated":{"writes":500},"storms":{"storms":[{"writes":30},{"writes":12}]}},
			{"scenarios":{"passed":5}}]}`
	bad := `{"kernel":"6.1","variant":"linux-6.1","result":"failed","why":["1 file with wrong bytes"],
		"failures":[{"what":"a","concerns":[4]},{"what":"b"},{"what":"c"},{"what":"d"},{"what":"e"}]}`
	runs := []Kernel{
		{Kernel: "./k/series-v2.bzImage", Report: json.RawMessage(good)},
		{Kernel: "debian:bookworm", Report: json.RawMessage(bad), Status: 1},
		{Kernel: "x/none", Status: 3, Message: "hint: no such kernel"},
	}
	for i := range runs[:2] {
		if err := json.Unmarshal(runs[i].Report, &runs[i].seen); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if err := WriteText(&b, runs); err != nil {
		t.Fatal(err)
	}
	want := `kernel           variant            1 2 3 4 5 6 7 8  scenarios failed   skip  generated     storms  result
series-v2        linux-7.3          + ? ? ? ? - ! ?         15      0      2        500         42  passed (7.3.4, 61 s)
debian:bookworm  linux-6.1          ? ? ? ? ? ? ? ?          0      0      0          0          0  failed (6.1, 0 s)
                 1 file with wrong bytes
                 wrong: a [patch 4]
                 wrong: b [not of the series]
                 wrong: c [not of the series]
                 … and 2 more
none             no report (unfit): hint: no such kernel
patches: + present, - absent, ! contradictory, ? not testable here
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestMatrixStatus(t *testing.T) {
	for want, codes := range map[int][]int{0: {0, 0}, 1: {3, 1, 2, 0, 5}, 2: {2, 3, 7}, 3: {3, 4}, 4: {0, 4}, 5: {6, 5, 3}, 7: {7, 8, 4}} {
		var runs []Kernel
		for _, c := range codes {
			runs = append(runs, Kernel{Status: c})
		}
		if got := Worst(runs); got != want {
			t.Errorf("%v: %d, want %d", codes, got, want)
		}
	}
	if got := Worst([]Kernel{{Status: 137}}); got != exit.Unfit {
		t.Errorf("killed: %d", got)
	}
}
