module github.com/agenttier/agenttier/images/runtime

go 1.25.0

require (
	github.com/coder/websocket v1.8.14
	golang.org/x/sys v0.36.0
	golang.org/x/term v0.35.0
)
