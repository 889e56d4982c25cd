package exporttest

// Hostile are names of files and processes that could act on a terminal, a shell, a
// spreadsheet, a page or a reader's eye. No output may let them.
var Hostile = []string{
	"$(touch owned)", "`touch owned`", "';touch owned;'", "\"; touch owned; \"", "\\", "a\\\"b", "-rf", "--help", "~/x", "*", "&& touch owned",
	"=1+1", "+1", "-1", "@SUM(A1)", "'quoted", "＝1", "a,b", "a\tb", "\t=1", "a\r\nb", "\ntouch owned\n", "# x", "%s%n", "${IFS}", "!!",
	"</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]>", "&amp;", "\x1b[2J\x1b]0;x\a", "\u009b2J", "\u202egnp.exe", "\u200f\u2066x\u2069",
	"\ufeffbom", "\xff\xfe", "\xed\xa0\x80", "nul\x00nul", "日本語", "e\u0301", "", " ", "a b", "fio version 3 iolog", "add", ":", "a:b", "[global]", "x=y;z", "\u2028line",
}
