package hint

import "testing"

func TestWords(t *testing.T) {
	tests := []struct {
		words []string
		want  string
	}{
		{[]string{"ext4dio-trace", "live", "--path", "/data/db"}, "ext4dio-trace live --path /data/db"},
		{[]string{"live", "--filter", "wait>5ms lock=exclusive"}, "live --filter 'wait>5ms lock=exclusive'"},
		{[]string{"sh", "-c", "it's $HOME", ""}, `sh -c 'it'\''s $HOME' ''`},
	}
	for _, tt := range tests {
		if got := Words(tt.words...); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.words, got, tt.want)
		}
	}
}
