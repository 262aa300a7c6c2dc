// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/agenttier/agenttier/images/runtime/internal/adopt"
)

const maxAdoptBody = 1 << 20

// claimed lets nobody use a slot before its sandbox has it, not even with its
// token.
func (a *API) claimed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.Slot.Waits() && r.URL.Path != "/adopt" && r.URL.Path != "/version" {
			fail(w, http.StatusConflict, "this slot belongs to no sandbox yet")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) adopt(w http.ResponseWriter, r *http.Request) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyDeadline))
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	var request adopt.Request
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdoptBody))
	if err := decoder.Decode(&request); err != nil {
		fail(w, http.StatusBadRequest, "body: "+err.Error())
		return
	}
	switch err := a.Slot.Adopt(request); {
	case errors.Is(err, adopt.ErrNoSlot), errors.Is(err, adopt.ErrTaken):
		fail(w, http.StatusConflict, err.Error())
	case err != nil:
		fail(w, http.StatusBadRequest, err.Error())
	default:
		reply(w, http.StatusOK, map[string]bool{"adopted": true})
	}
}
