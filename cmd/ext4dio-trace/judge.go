package main

import (
	"fmt"

	"github.com/ext4dio/ext4dio-trace/decode/judge"
	"github.com/ext4dio/ext4dio-trace/decode/observe"
	"github.com/ext4dio/ext4dio-trace/probes"
	model "github.com/ext4dio/ext4dio-trace/userspace-model"
)

// newJudge makes a judge for the kernel of f, which hands every judged write to
// seen. The variant is auto or the name of one that checkVariant let through; doubt is
// judge.Options.Doubt.
func newJudge(f *probes.Facts, p *probes.Plan, variant string, doubt func(from, to uint64) bool, seen func(*observe.Observation, *judge.Verdict)) (*judge.Judge, error) {
	o := judge.Options{Evidence: evidence(f), Unprobed: p.Unattached, Doubt: doubt, Seen: seen}
	if variant != "" && variant != "auto" {
		v, err := model.ParseVariant(variant)
		if err != nil {
			return nil, err
		}
		o.Variant = v
	}
	return judge.New(o), nil
}

// evidence is what the symbols and types of a kernel tell of its variant.
func evidence(f *probes.Facts) judge.Evidence {
	var e judge.Evidence
	if f.Ext4 != "" {
		has := func(name string) model.Answer {
			fn := f.Funcs[name]
			return model.AnswerOf(fn.Symbol || fn.Suffix || fn.BTF)
		}
		e.OverwriteBegin, e.IomapNext = has("ext4_iomap_overwrite_begin"), has("ext4_iomap_next")
	}
	if f.BTF {
		e.IovMember = model.AnswerOf(f.Members["iov_iter.iov"])
	}
	return e
}

// variantText names the variant that is judged by, and says when it is one of
// several that cannot be told apart yet.
func variantText(d *judge.Detector) string {
	best, others := d.Best().String(), d.Candidates()[1:]
	switch len(others) {
	case 0:
		return best
	case 1:
		return best + " or " + others[0].String()
	}
	return fmt.Sprintf("%s or %d others", best, len(others))
}

// staticVariants lists the variants that a kernel may hold by its symbols and
// types alone, the most likely first, and why.
func staticVariants(f *probes.Facts) (variants, why []string) {
	d := judge.NewDetector(evidence(f))
	for _, v := range d.Candidates() {
		variants = append(variants, v.String())
	}
	return variants, d.Evidence()
}
