// Package rowfilter understands the filter line of the Writes screen and of --filter, and
// says which judged writes it lets through:
//
//	lock=exclusive verdict!=agree pos>1m comm~mysqld "two words" !nowait
//
// Words are parted by blanks, and all of them have to match. A word is one of
//
//	FIELD OP VALUE  without blanks between; OP is = != ~ !~ < <= > >=
//	FLAG            such as nowait; !FLAG is its contrary
//	TEXT            contained in path, comm or reason; !TEXT in none of them
//
// ~ is "contains", without regard to case; in quotes, a value of it that begins with ^, ends
// with $ or has a \ is a regular expression. = compares text exactly, and * and ? in the
// value stand for other characters, '/' among them. In quotes, " or ', with \ before a
// quote, blanks are a part of the word, * and ? stand for themselves, and a word that is
// quoted whole is always text. Bytes may end in k, m, g or t (1024), times need a unit
// (ns, us, ms, s).
//
// holder, holdercomm and holderpid are of all for whom the write waited for i_rwsem: = and
// ~ ask for one of them, != and !~ for none.
//
// A fact that is not known never matches: neither = nor !=, neither FLAG nor !FLAG. Text
// is looked for in what is known.
//
// The package only looks at rows. It must not change or keep one.
package rowfilter
