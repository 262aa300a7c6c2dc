module github.com/agenttier/agenttier/images/test-distroless

go 1.24.0
