// SPDX-License-Identifier: Apache-2.0

package httpapi

import (
	"net/http"

	"github.com/agenttier/agenttier/images/runtime/internal/tools"
)

const maxToolsBody = 5 << 20

// tools looks at the programs that the harness wants and answers when all of
// them were looked at, which takes as long as installing what is missing. A
// caller that was cut off asks again with the same id.
func (a *API) tools(w http.ResponseWriter, r *http.Request) {
	var request tools.Request
	status, err := readBody(w, r, maxToolsBody, &request)
	if err == nil {
		status, err = http.StatusBadRequest, tools.Check(request)
	}
	if err != nil {
		fail(w, status, err.Error())
		return
	}
	if states, ok := a.Tools.Verify(r.Context(), request); ok {
		reply(w, http.StatusOK, map[string]any{"tools": states})
	}
}
