package model

import "testing"

// TestUseDio: which inodes take a direct write as one (docs/kernel.md#direct-or-buffered).
func TestUseDio(t *testing.T) {
	all := Variants()
	with := []Variant{Linux61, Linux612, Linux72} // need inline encryption
	open := []Variant{Base, Patch3, Patch4}       // between 7.2 and 7.3: not known
	without := []Variant{Linux73, SeriesV2}
	none := DirectFacts{Verity: No, Journal: No, Inline: No, Encrypt: No, InlineCrypt: No}
	encrypted, inline := none, none
	encrypted.Encrypt = Yes
	inline.Encrypt, inline.InlineCrypt = Yes, Yes
	tests := []struct {
		name  string
		facts DirectFacts
		pos   int64
		mem   uint32
		v     []Variant
		want  Answer
	}{
		{"ordinary", none, 0, 0, all, Yes},
		{"ordinary, position unaligned", none, 512, 0, all, Yes},
		{"ordinary, memory unaligned", none, 0, 512, all, Yes},
		{"verity", DirectFacts{Yes, No, No, No, No}, 0, 0, all, No},
		{"journalled", DirectFacts{No, Yes, No, No, No}, 0, 0, all, No},
		{"inline data", DirectFacts{No, No, Yes, No, No}, 0, 0, all, No},
		{"inline data, the rest not known", DirectFacts{Inline: Yes}, 0, 0, all, No},
		{"verity not known", DirectFacts{Unknown, No, No, No, No}, 0, 0, all, Unknown},
		{"encrypted by the block layer", inline, 4096, 0, all, Yes},
		{"encrypted by the block layer, position unaligned", inline, 512, 0, all, No},
		{"encrypted by the block layer, memory unaligned", inline, 0, 512, all, No},
		{"encrypted", encrypted, 0, 0, with, No},
		{"encrypted", encrypted, 0, 0, open, Unknown},
		{"encrypted", encrypted, 0, 0, without, Yes},
		{"encrypted, position unaligned", encrypted, 512, 0, all, No},
		{"encrypted, memory unaligned", encrypted, 0, 512, all, No},
		{"encryption not known", DirectFacts{No, No, No, Unknown, No}, 0, 0, with, Unknown},
		{"encryption not known", DirectFacts{No, No, No, Unknown, No}, 0, 0, without, Yes},
	}
	for _, tt := range tests {
		for _, v := range tt.v {
			c := Call{Pos: tt.pos, Len: 4096, Align: Alignment{Bits: 4096 | tt.mem, Known: true}, Blkbits: 12}
			if got := UseDio(&c, tt.facts, v); got != tt.want {
				t.Errorf("%s: %s: %s, want %s", v, tt.name, got, tt.want)
			}
		}
	}
}

// TestRefusedFor names the reason that ext4_dio_alignment would meet; inline data
// and the journal exclude encryption anyway.
func TestRefusedFor(t *testing.T) {
	tests := []struct {
		facts DirectFacts
		want  Reason
	}{
		{DirectFacts{No, No, No, No, No}, ReasonNoDio},
		{DirectFacts{}, ReasonNoDio},
		{DirectFacts{No, No, Yes, No, No}, ReasonInline},
		{DirectFacts{No, Yes, No, No, No}, ReasonJournal},
		{DirectFacts{Yes, No, No, No, No}, ReasonVerity},
		{DirectFacts{No, No, No, Yes, No}, ReasonEncrypted},
	}
	for _, tt := range tests {
		if got := RefusedFor(tt.facts); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.facts, got, tt.want)
		}
	}
}

// TestJournalsData is ext4_should_journal_data for a regular file.
func TestJournalsData(t *testing.T) {
	tests := []struct {
		name                                       string
		journal, mount, flag, delalloc, encryption Answer
		want                                       Answer
	}{
		{"data=journal", Yes, Yes, No, No, No, Yes},
		{"data=journal, encrypted", Yes, Yes, No, No, Yes, No},
		{"data=journal without a journal", No, Yes, No, No, No, No},
		{"JOURNAL_DATA and delalloc", Yes, No, Yes, Yes, No, No},
		{"JOURNAL_DATA and nodelalloc", Yes, No, Yes, No, No, Yes},
		{"JOURNAL_DATA and nodelalloc, encrypted", Yes, No, Yes, No, Yes, No},
		{"neither", Yes, No, No, No, No, No},
		{"mount option not known", Yes, Unknown, No, No, No, Unknown},
		{"delalloc not known", Yes, No, Yes, Unknown, No, Unknown},
		{"delalloc not known, no flag", Yes, No, No, Unknown, No, No},
	}
	for _, tt := range tests {
		if got := JournalsData(tt.journal, tt.mount, tt.flag, tt.delalloc, tt.encryption); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
