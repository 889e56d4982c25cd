// Command ansisvg turns a screen of text with SGR sequences, as a terminal program draws
// it, into an SVG file: a picture for a document, with the text in it still text.
//
//	tmux capture-pane -ep -t PANE | go run ./internal/ansisvg -title "what it shows" >screen.svg
//
// Every character keeps to its cell whatever font the reader has. With -theme auto, which
// is the default, the picture is dark where the reader's page is; dark and light are
// fixed. To look at it as a bitmap, any browser will do:
//
//	chromium --headless --hide-scrollbars --screenshot=screen.png --window-size=1200,800 screen.svg
//
// It knows text and its looks, nothing else: a sequence that moves the cursor is left out.
package main
