// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"net/http"

	"github.com/agenttier/agenttier/images/runtime/internal/hooks"
)

const maxHookBody = 256 << 10

// hook runs a hook and answers when it has ended. A caller that was cut off
// asks again with the same id and gets that same run's result. Hooks are the
// platform's doing and no sign that somebody uses the sandbox.
func (a *API) hook(w http.ResponseWriter, r *http.Request) {
	var request hooks.Request
	status, err := readBody(w, r, maxHookBody, &request)
	if err == nil {
		status, err = http.StatusBadRequest, hooks.Check(r.PathValue("name"), request)
	}
	if err != nil {
		fail(w, status, err.Error())
		return
	}
	if result, ok := a.Hooks.Run(r.Context(), r.PathValue("name"), request); ok {
		reply(w, http.StatusOK, result)
	}
}
