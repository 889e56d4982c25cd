package main

import (
	"errors"
	"io"
	"testing"

	"github.com/ext4dio/ext4dio-trace/internal/exit"
)

// What was seen to be wrong decides the status, whatever failed besides; all of it is said.
func TestForemost(t *testing.T) {
	wrong := &exit.Error{Code: exit.Disagree, Msg: "2 writes were wrong", Hint: "look"}
	unfit := &exit.Error{Code: exit.Unfit, Msg: "no room"}
	for name, tt := range map[string]struct {
		errs []error
		code int
		msg  string
	}{
		"nothing":         {[]error{nil, nil}, 0, ""},
		"one":             {[]error{nil, unfit}, exit.Unfit, "no room"},
		"wrong":           {[]error{wrong, nil}, exit.Disagree, "2 writes were wrong"},
		"wrong last":      {[]error{io.ErrShortWrite, unfit, wrong}, exit.Disagree, "2 writes were wrong; short write; no room"},
		"said already":    {[]error{errors.New("were wrong"), wrong}, exit.Disagree, "2 writes were wrong"},
		"without a word":  {[]error{unfit, &exit.Error{Code: exit.Disagree}}, exit.Disagree, "no room"},
		"first of others": {[]error{unfit, &exit.Error{Code: exit.Unproven, Msg: "lost"}}, exit.Unfit, "no room"},
	} {
		err := foremost(tt.errs...)
		if tt.code == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if e := asExit(err); e.Code != tt.code || e.Msg != tt.msg {
			t.Errorf("%s: %d, %q", name, e.Code, e.Msg)
		}
	}
	if wrong.Msg != "2 writes were wrong" {
		t.Errorf("the error itself was changed: %q", wrong.Msg)
	}
}
