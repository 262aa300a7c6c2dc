// SPDX-License-Identifier: Apache-2.0

//go:build !windows

// Package sys stands in for one file of github.com/containerd/containerd/sys in the build of the shim: the original
// gives up where the kernel does not let it protect the shim from the OOM killer, which needs CAP_SYS_RESOURCE.
package sys

import (
	"os"
	"strconv"
	"strings"
)

const (
	// OOMScoreMaxKillable is the best protection that still lets the process be killed.
	OOMScoreMaxKillable = -999
	// OOMScoreAdjMax marks the first process to be killed.
	OOMScoreAdjMax = 1000
)

func scoreFile(pid int) string { return "/proc/" + strconv.Itoa(pid) + "/oom_score_adj" }

// SetOOMScore sets the score, or leaves it as it is where that is not permitted.
func SetOOMScore(pid, score int) error {
	err := os.WriteFile(scoreFile(pid), []byte(strconv.Itoa(score)), 0)
	if os.IsPermission(err) {
		return nil
	}
	return err
}

// GetOOMScoreAdj reads the score.
func GetOOMScoreAdj(pid int) (int, error) {
	text, err := os.ReadFile(scoreFile(pid))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
