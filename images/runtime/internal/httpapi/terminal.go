// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/coder/websocket"

	"github.com/agenttier/agenttier/images/runtime/internal/session"
)

const (
	defaultCols, defaultRows = 120, 40
	// maxInput is the largest message of a client. A pasted megabyte grows up
	// to sixfold in JSON.
	maxInput = 8 << 20
)

var sessionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// terminalQuery is what the URL of a terminal asks for.
type terminalQuery struct {
	request session.Request
	sized   bool
	view    bool
}

func (a *API) terminal(w http.ResponseWriter, r *http.Request) {
	query, err := parseTerminal(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	// The bearer token has proven the caller. A web page cannot send it, so
	// there is nothing that an origin check would add.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{SubProtocol}, InsecureSkipVerify: true,
	})
	if err != nil {
		return
	}
	a.links.Add(1)
	defer a.links.Done()
	conn.SetReadLimit(maxInput)
	s, started, err := a.Sessions.Open(query.request)
	if err != nil {
		a.refuse(conn, query.request.Name, err)
		return
	}
	if started {
		a.Log.Info("session started", "session", query.request.Name)
	} else if query.sized && !query.view {
		_ = s.Resize(query.request.Cols, query.request.Rows)
	}
	serve(conn, s, query)
}

func (a *API) refuse(conn *websocket.Conn, name string, err error) {
	a.Log.Warn("session not started", "session", name, "error", err.Error())
	ctx, cancel := writeContext()
	defer cancel()
	_ = conn.Write(ctx, websocket.MessageText, encode(errorFrame{"error", err.Error()}))
	_ = conn.Close(websocket.StatusInternalError, "the session could not start")
}

func parseTerminal(values url.Values) (q terminalQuery, err error) {
	q.request = session.Request{
		Name: values.Get("session"), Shell: values.Get("shell"), Folder: values.Get("cwd"),
		Cols: defaultCols, Rows: defaultRows, Since: -1,
	}
	if q.request.Name == "" {
		q.request.Name = "main"
	}
	if !sessionName.MatchString(q.request.Name) {
		return q, errors.New("session: letters, digits, '.', '_' and '-', at most 128")
	}
	if q.request.Shell != "" && !filepath.IsAbs(q.request.Shell) {
		return q, errors.New("shell: must be an absolute path")
	}
	switch values.Get("mode") {
	case "", "control":
	case "view":
		q.view = true
	default:
		return q, errors.New("mode: must be control or view")
	}
	return q, parseNumbers(values, &q)
}

func parseNumbers(values url.Values, q *terminalQuery) error {
	for name, size := range map[string]*uint16{"cols": &q.request.Cols, "rows": &q.request.Rows} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New(name + ": must be a whole number")
		}
		*size, q.sized = dimension(float64(n)), true
	}
	if text := values.Get("since"); text != "" {
		since, err := strconv.ParseInt(text, 10, 64)
		if err != nil || since < 0 {
			return errors.New("since: must be an offset that a ready frame or the bytes after it gave")
		}
		q.request.Since = since
	}
	return nil
}
