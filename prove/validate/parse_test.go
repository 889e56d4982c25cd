package validate

import (
	"errors"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/ext4dio/ext4dio-trace/prove/workload"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

const good = `# About the file.

requires blocksize=1K|4096 sector=512
group old lacks AlignedUnchecked
group between patch3 patch4

# What it is for.
# Second line.
scenario one-two
covers checks-on-61/a checks-on-612-and-72/b
setup fallocate 0 64K
setup fallocate 16K 1M keep-size   # with a comment
setup write 0 4K
setup chmod 4755
setup immutable on
setup forget
setup journalled
setup truncate 48K
setup layout W U2 H13
write pos=512 iov=512,3584 buf=512 engine=libaio flags=nowait,dsync limit=1M fresh=60K held=56K
expect old passes=SE lock=exclusive lookups=(0,4)1w(3,1)?u/-
expect between zeroed=(0,512)(16K,1K)|none ret=-EAGAIN verdict=agree
expect all drain=no
write pos=1G len=0
expect all ret=0
`

func TestParse(t *testing.T) {
	scs, err := Parse("theme", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(scs) != 1 {
		t.Fatalf("%d scenarios", len(scs))
	}
	s := scs[0]
	if s.Name != "one-two" || s.Theme != "theme" || s.Line != 9 ||
		!slices.Equal(s.Covers, []string{"checks-on-61/a", "checks-on-612-and-72/b"}) || s.Writes() != 2 {
		t.Errorf("scenario %+v", s)
	}
	if want := []Requirement{{"blocksize", []int64{1024, 4096}}, {"sector", []int64{512}}}; !reflect.DeepEqual(s.Requires, want) {
		t.Errorf("requires %v", s.Requires)
	}
	wantSetup := []Setup{
		{Op: "fallocate", Len: 64 << 10},
		{Op: "fallocate", Off: 16 << 10, Len: 1 << 20, On: true},
		{Op: "write", Len: 4096},
		{Op: "chmod", Mode: 0o4755},
		{Op: "immutable", On: true},
		{Op: "forget"},
		{Op: "journalled"},
		{Op: "truncate", Off: 48 << 10},
		{Op: "layout", Layout: []Run{{workload.Written, 1}, {workload.Unwritten, 2}, {workload.Hole, 13}}},
	}
	for i, want := range wantSetup {
		if got := s.Steps[i].Setup; got == nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("step %d is %+v, want %+v", i, got, want)
		}
	}
	w := s.Steps[len(wantSetup)].Write
	if w.Pos != 512 || w.Len() != 4096 || len(w.Segs) != 2 || w.Buf != 512 || w.Engine != workload.Libaio ||
		w.Flags != unix.RWF_NOWAIT|unix.RWF_DSYNC || w.Limit != 1<<20 || w.Fresh != 60<<10 || w.Held != 56<<10 {
		t.Errorf("write %+v", w)
	}
	if want := (Fields{"passes": {"SE"}, "lock": {"exclusive"}, "lookups": {"(0,4)1w(3,1)?u/-"}, "drain": {"no"}}); !reflect.DeepEqual(w.Expect["base"], want) {
		t.Errorf("base expects %v", w.Expect["base"])
	}
	if got := w.Expect["patch4"]["zeroed"]; !slices.Equal(got, []string{"(0,512)(16384,1024)", "none"}) {
		t.Errorf("patch4 expects zeroed %q", got)
	}
	if w := s.Steps[len(s.Steps)-1].Write; w.Engine != workload.Pwrite || w.Limit != -1 || w.Fresh != -1 || w.Held != -1 || w.Len() != 0 {
		t.Errorf("second write %+v", w)
	}
}

func TestParseRefuses(t *testing.T) {
	const sc, wr, ex = "scenario a\n", "write pos=0 len=4K\n", "expect all ret=0\n"
	for _, c := range []struct {
		text string
		line int
		msg  string
	}{
		{"setup sync\n", 1, `"setup" before the first scenario`},
		{sc + "frobnicate\n", 2, `unknown word "frobnicate"`},
		{"scenario A\n", 1, "scenario needs a name of small letters, digits and dashes, at most 64"},
		{"scenario a/b\n", 1, "scenario needs a name of small letters, digits and dashes, at most 64"},
		{sc + wr + ex + sc, 4, `scenario "a" exists`},
		{sc + "setup sync\n", 2, `scenario "a" has no write`},
		{sc + wr, 2, "the write in line 2 expects nothing"},
		{sc + wr + wr + ex, 4, "the write in line 2 expects nothing"},
		{sc + ex, 2, "expect without a write above it"},
		{sc + "setup dance\n", 2, `unknown setup operation "dance"`},
		{sc + "setup write 0\n", 2, "setup write needs 2 sizes"},
		{sc + "setup write 0 4k\n", 2, `"4k" is not a number of bytes`},
		{sc + "setup write -1 4\n", 2, `"-1" is not a number of bytes`},
		{sc + "setup write 0 9999999T\n", 2, `"9999999T" is not a number of bytes`},
		{sc + "setup write 0 1T\n", 2, "setup write of 1099511627776 bytes is more than 268435456"},
		{sc + "setup sync now\n", 2, `setup sync does not go with "now"`},
		{sc + "setup chmod 9\n", 2, `"9" is not an octal mode`},
		{sc + "setup layout\n", 2, `setup layout does not go with ""`},
		{sc + "setup layout W0\n", 2, `"W0" is not a run of blocks`},
		{sc + "setup layout X\n", 2, `"X" is not a run of blocks: W, U, H or D and a number`},
		{sc + "write pos=0\n", 2, "write needs pos, and len or iov"},
		{sc + "write pos=0 len=4K held=0\n", 2, "held needs flags=nowait: any other write would wait for the lock for ever"},
		{sc + "write len=4K\n", 2, "write needs pos, and len or iov"},
		{sc + "write pos=0 len=4K iov=4K\n", 2, "write needs pos, and len or iov"},
		{sc + "write pos=0 pos=1 len=1\n", 2, `"pos=1" is not KEY=VALUE, or is given twice`},
		{sc + "write pos=0 len=1T\n", 2, `"1T" is not a length`},
		{sc + "write pos=0 len=1 buf=64K\n", 2, "buf 65536 is not below 64K"},
		{sc + "write pos=0 len=1 speed=9\n", 2, `unknown option "speed"`},
		{sc + "write pos=0 len=1 engine=mmap\n", 2, `unknown engine "mmap"`},
		{sc + "write pos=0 len=1 flags=fast\n", 2, `unknown flag "fast"`},
		{sc + "write pos=0 len=1 engine=pwrite flags=nowait\n", 2, "pwrite takes neither flags nor iov"},
		{sc + wr + "expect all\n", 3, "expect needs variants and fields"},
		{sc + wr + "expect linux-5.10 ret=0\n", 3, `unknown variant or group "linux-5.10"`},
		{sc + wr + "expect all colour=red\n", 3, `unknown field "colour"`},
		{sc + wr + "expect all ret\n", 3, `"ret" is not FIELD=VALUE`},
		{sc + wr + "expect all lock=maybe\n", 3, `"maybe" is no value of lock`},
		{sc + wr + "expect all lookups=(0,1)\n", 3, `"(0,1)" is no value of lookups`},
		{sc + wr + "expect all ret=9999999T\n", 3, `"9999999T" is not a number of bytes`},
		{sc + wr + ex + "expect base ret=0\n", 4, "ret is given twice for base"},
		{"group base linux-6.1\n", 1, `group "base" exists`},
		{"group x y\n", 1, `unknown variant "y"`},
		{"group x has y\n", 1, `unknown behaviour "y": one of ` + strings.Join(model.BehaviourNames(), ", ")},
		{"group x has NeedsZeroing lacks NeedsZeroing\n", 1, "no variant is so: has NeedsZeroing lacks NeedsZeroing"},
		{sc + "blocks 1K\n", 2, "blocks needs sizes, and stands once before the first scenario"},
		{"blocks\n", 1, "blocks needs sizes, and stands once before the first scenario"},
		{"blocks 1K\nblocks 2K\n", 2, "blocks needs sizes, and stands once before the first scenario"},
		{"blocks 1K 1024\n", 1, `"1024" is given twice`},
		{"blocks 1000\n", 1, `"1000" is no size of blocks: 1K to 64K`},
		{"blocks 128K\n", 1, `"128K" is no size of blocks: 1K to 64K`},
		{sc + "write pos=B len=1\n", 2, `"B" is not a number of bytes`},
		{sc + wr + "expect all ret=2B\n", 3, `"2B" is not a number of bytes`},
		{"blocks 1K\n" + sc + "write pos=B-2B len=1\n", 3, `"B-2B" is not a number of bytes or blocks`},
		{"blocks 1K\n" + sc + "write pos=B+ len=1\n", 3, `"B+" is not a number of bytes or blocks`},
		{"blocks 1K\n" + sc + "write pos=-B len=1\n", 3, `"-B" is not a number of bytes or blocks`},
		{"blocks 1K\n" + sc + "write pos=9999999999999999B len=1\n", 3, `"9999999999999999B" is not a number of bytes or blocks`},
		{"blocks 1K\n" + sc + wr + "expect all zeroed=(B-2B,1)\n", 4, `"B-2B" is not a number of bytes or blocks`},
		{"requires moon=full\n", 1, `unknown requirement "moon=full"`},
	} {
		_, err := Parse("bad", []byte(c.text))
		if want := fmt.Sprintf("parse scenarios: bad.txt:%d: %s", c.line, c.msg); err == nil || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", c.text, err, want)
		}
	}
}

const inBlocks = `
blocks 1K 64K
requires extents=yes
scenario a
setup fallocate B 3B
write pos=2B-512 len=B+1K limit=4B
expect all ret=-EBADF|B-1 zeroed=(0,512)(B+512,B-512) lookups=(0,4)1w
`

func TestParseBlocks(t *testing.T) {
	scs, err := Parse("t", []byte(inBlocks))
	if err != nil {
		t.Fatal(err)
	}
	if len(scs) != 2 || scs[0].Name != "a-1k" || scs[1].Name != "a-64k" {
		t.Fatalf("scenarios %+v", scs)
	}
	for i, b := range []int64{1 << 10, 64 << 10} {
		s := scs[i]
		if want := []Requirement{{"extents", []int64{1}}, {"blocksize", []int64{b}}}; !reflect.DeepEqual(s.Requires, want) {
			t.Errorf("%s requires %v", s.Name, s.Requires)
		}
		if got, want := *s.Steps[0].Setup, (Setup{Op: "fallocate", Off: b, Len: 3 * b}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: setup %+v", s.Name, got)
		}
		w := s.Steps[1].Write
		if w.Pos != 2*b-512 || w.Len() != int(b)+1024 || w.Limit != 4*b || w.Fresh != -1 {
			t.Errorf("%s: write %+v", s.Name, w)
		}
		want := Fields{
			"ret":     {"-EBADF", fmt.Sprint(b - 1)},
			"zeroed":  {fmt.Sprintf("(0,512)(%d,%d)", b+512, b-512)},
			"lookups": {"(0,4)1w"},
		}
		if !reflect.DeepEqual(w.Expect["base"], want) {
			t.Errorf("%s: expects %v, want %v", s.Name, w.Expect["base"], want)
		}
	}
}

func TestParseFSWantsUniqueNames(t *testing.T) {
	text := []byte("scenario a\nwrite pos=0 len=0\nexpect all ret=0\n")
	_, err := ParseFS(fstest.MapFS{"d/x.txt": {Data: text}, "d/y.txt": {Data: text}}, "d")
	if err == nil || err.Error() != `parse scenarios: y.txt:1: scenario "a" is also in x.txt` {
		t.Errorf("error %v", err)
	}
}

func TestSelect(t *testing.T) {
	scs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for glob, want := range map[string]func(Scenario) bool{
		"nowait":   func(s Scenario) bool { return s.Theme == "nowait" },
		"stripe-*": func(s Scenario) bool { ok, _ := path.Match("stripe-*", s.Name); return ok },
	} {
		got, err := Select(scs, glob)
		if err != nil || len(got) == 0 || !reflect.DeepEqual(got, slices.DeleteFunc(slices.Clone(scs), func(s Scenario) bool { return !want(s) })) {
			t.Errorf("%s: %d scenarios, %v", glob, len(got), err)
		}
	}
	for _, glob := range []string{"no-such", "[", ""} {
		if _, err := Select(scs, glob); !errors.Is(err, workload.ErrUsage) {
			t.Errorf("%q: %v, want ErrUsage", glob, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(inBlocks))
	entries, err := os.ReadDir("scenarios")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		if text, err := os.ReadFile(path.Join("scenarios", e.Name())); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		scs, err := Parse("fuzz", text)
		if (err != nil) != (scs == nil) && len(scs) > 0 {
			t.Fatalf("%d scenarios and error %v", len(scs), err)
		}
		for _, s := range scs {
			if s.Writes() == 0 || !nameRE.MatchString(s.Name) {
				t.Fatalf("scenario %+v", s)
			}
			for _, st := range s.Steps {
				if (st.Setup == nil) == (st.Write == nil) {
					t.Fatalf("step %+v", st)
				}
				if w := st.Write; w != nil && (w.Pos < 0 || w.Len() < 0 || w.Len() > maxWrite || w.Buf < 0) {
					t.Fatalf("write %+v", w)
				}
			}
		}
	})
}
