// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxStill is the longest time for which programs can be asked to stand still.
const maxStill = 60 * time.Second

type quiesceRequest struct {
	LimitSeconds int64 `json:"limitSeconds"`
}

// quiesce makes the workspace stand still for a snapshot; whoever asked may
// die, so it ends by itself.
func (a *API) quiesce(w http.ResponseWriter, r *http.Request) {
	var request quiesceRequest
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&request)
	if err != nil && !errors.Is(err, io.EOF) {
		fail(w, http.StatusBadRequest, "the body must be {\"limitSeconds\": number}")
		return
	}
	limit := time.Duration(request.LimitSeconds) * time.Second
	if request.LimitSeconds <= 0 || limit > maxStill {
		limit = maxStill
	}
	result, err := a.Still.Begin(a.Workdir, limit)
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	reply(w, http.StatusOK, map[string]any{"frozen": result.Frozen, "missed": result.Missed, "until": result.Until.UTC()})
}

func (a *API) unquiesce(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"thawed": a.Still.End()})
}
