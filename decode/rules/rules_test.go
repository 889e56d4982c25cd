package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ext4dio/ext4dio-trace/record"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// TestRuleTable: ids are in order and unique, and each rule says what it is for.
func TestRuleTable(t *testing.T) {
	rules := All()
	if len(rules) != 13 {
		t.Fatalf("%d rules", len(rules))
	}
	sentence := func(s string) bool { return strings.HasSuffix(s, ".") && len(s) >= 30 }
	for i, r := range rules {
		if r.ID != fmt.Sprintf("R%d", i+1) || r.Set != 1<<(i+1) {
			t.Errorf("rule %d is called %s, set %#x", i+1, r.ID, r.Set)
		}
		if !sentence(r.Text) || !sentence(r.Why) || !r.Needs.Has(needsCall) {
			t.Errorf("%s: text %q, why %q, needs %v", r.ID, r.Text, r.Why, r.Needs.Names())
		}
		for _, e := range r.Exempt {
			if !strings.HasPrefix(e.Name, "E-") || !sentence(e.Text) {
				t.Errorf("%s: exemption %q: %q", r.ID, e.Name, e.Text)
			}
		}
		if (r.Promise != 0) != (r.Set&(R5|R12) != 0) {
			t.Errorf("%s: promise %#x", r.ID, r.Promise)
		}
		got, err := Parse(strings.ToLower(r.ID))
		if err != nil || got.ID != r.ID {
			t.Errorf("ParseRule(%s): %s, %v", r.ID, got.ID, err)
		}
	}
	for _, id := range []string{"", "R0", "R14", "R", "1"} {
		if _, err := Parse(id); err == nil || !strings.Contains(err.Error(), "R1 to R13") {
			t.Errorf("ParseRule(%q): %v", id, err)
		}
	}
}

// TestRuleSets: the parts of a set.
func TestRuleSets(t *testing.T) {
	if got := (R1 | R13).IDs(); strings.Join(got, " ") != "R1 R13" {
		t.Errorf("ids %v", got)
	}
	if got := (R1 | R6 | R9 | R12).Safety(); got != R1|R12 {
		t.Errorf("safety: %v", got.IDs())
	}
	if got := (R1 | R5 | R12).Promised(model.DrainFallback); got != R1|R5 {
		t.Errorf("promised with patch 2: %v", got.IDs())
	}
	if got := (R1 | R5 | R12).Promised(0); got != R1 {
		t.Errorf("promised with neither: %v", got.IDs())
	}
	if got := (R1 | R5 | R12).Probed(record.StageZero | record.StageLookup); got != R5 {
		t.Errorf("without probes for zeroing and lookups: %v", got.IDs())
	}
}

// TestRuleTableIsNotShared: the caller's list is its own.
func TestRuleTableIsNotShared(t *testing.T) {
	r := All()
	r[0].ID, r[0].Exempt[0].Name, r[5].Compares[0] = "X", "X", "X"
	again := All()
	if again[0].ID == "X" || again[0].Exempt[0].Name == "X" || again[5].Compares[0] == "X" {
		t.Error("changed for all")
	}
}
