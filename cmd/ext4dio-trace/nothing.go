package main

import (
	"time"

	"github.com/ext4dio/ext4dio-trace/export"
	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// sawNothing is the end of a trace in which no write passed the filters, as an error: where
// a command was traced (outcome says how it ended), or others wrote, it must not look like
// one in which all is well.
func sawNothing(s *export.Summary, outcome string) error {
	switch {
	case s.NothingSeen() != "": // which the output has said
		return &exit.Error{Code: exit.Unproven}
	case outcome != "" && s.Issued() == 0 && s.Losses.TooFast == 0:
		return &exit.Error{Code: exit.Unproven, Msg: "nothing was seen: " + outcome + " and made no direct write on ext4", Hint: "O_DIRECT on a file below one of: findmnt -t ext4"}
	}
	return nil
}

// quietFor is how long nothing is seen before that is said.
const quietFor = 2 * time.Second

// quiet says once, after a while, that all writes until then were left out.
type quiet struct {
	began time.Time
	tell  func(string)
	said  bool
}

func newQuiet(tell func(string)) *quiet { return &quiet{began: time.Now(), tell: tell} }

// look tells, when that is so by now. It is called a few times a second.
func (q *quiet) look(s *export.Summary) {
	if !q.said && time.Since(q.began) >= quietFor && s.NothingSeen() != "" {
		q.said = true
		q.tell("nothing seen yet, all that was written was left out: " + s.Losses.LeftOut())
	}
}
