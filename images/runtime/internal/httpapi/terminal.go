// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/agenttier/agenttier/images/runtime/internal/session"
	"github.com/agenttier/agenttier/images/runtime/internal/spent"
)

const (
	defaultCols, defaultRows = 120, 40
	// maxInput is the largest message of a client. A pasted megabyte grows up
	// to sixfold in JSON.
	maxInput = 8 << 20
	// maxName is that of a person, in bytes.
	maxName = 256
)

var sessionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// terminalQuery is what the URL of a terminal asks for.
type terminalQuery struct {
	request session.Request
	client  session.Client
	ticket  string
}

func (a *API) terminal(w http.ResponseWriter, r *http.Request) {
	query, err := parseTerminal(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if query.ticket != "" && !a.spend(w, query.ticket) {
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
	}
	serve(conn, s, query)
}

// useTicket notes that a ticket has been used, for whoever asks first.
func (a *API) useTicket(w http.ResponseWriter, r *http.Request) {
	if a.spend(w, r.PathValue("nonce")) {
		w.WriteHeader(http.StatusNoContent)
	}
}

func (a *API) spend(w http.ResponseWriter, nonce string) bool {
	err := a.Tickets.Spend(nonce, time.Now())
	switch {
	case err == nil:
		return true
	case errors.Is(err, spent.ErrUsed):
		fail(w, http.StatusConflict, err.Error())
	case errors.Is(err, spent.ErrFull):
		fail(w, http.StatusTooManyRequests, err.Error())
	default:
		fail(w, http.StatusBadRequest, err.Error())
	}
	return false
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
	q.ticket, q.client.Name = values.Get("ticket"), values.Get("who")
	if len(q.client.Name) > maxName || !utf8.ValidString(q.client.Name) {
		return q, errors.New("who: must be text of at most 256 bytes")
	}
	if err := parseChoices(values, &q); err != nil {
		return q, err
	}
	return q, parseNumbers(values, &q)
}

func parseChoices(values url.Values, q *terminalQuery) error {
	switch values.Get("mode") {
	case "", "control":
	case "view":
		q.client.View = true
	default:
		return errors.New("mode: must be control or view")
	}
	switch choice := values.Get("altscreen"); choice {
	case "":
	case "keep", "strip":
		keep := choice == "keep"
		q.request.KeepScreen = &keep
	default:
		return errors.New("altscreen: must be keep or strip")
	}
	return nil
}

func parseNumbers(values url.Values, q *terminalQuery) error {
	sized := false
	q.client.Since = q.request.Since
	for name, size := range map[string]*uint16{"cols": &q.request.Cols, "rows": &q.request.Rows} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New(name + ": must be a whole number")
		}
		*size, sized = dimension(float64(n)), true
	}
	if sized {
		q.client.Cols, q.client.Rows = q.request.Cols, q.request.Rows
	}
	if text := values.Get("since"); text != "" {
		since, err := strconv.ParseInt(text, 10, 64)
		if err != nil || since < 0 {
			return errors.New("since: must be an offset that a ready frame or the bytes after it gave")
		}
		q.request.Since, q.client.Since = since, since
	}
	return nil
}
