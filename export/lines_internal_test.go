package export

// StreamLines are the lines of JSON that are no writes, by their kind.
var StreamLines = map[string]any{KindStart: StartLine{}, KindLoss: lossLine{}, KindNotice: noticeLine{}, KindMark: markLine{}, KindHold: holdLine{}, KindSummary: summaryLine{}}
