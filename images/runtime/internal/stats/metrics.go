// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"fmt"
	"io"
)

// Metric is one figure in the text format of Prometheus.
type Metric struct {
	Name  string
	Help  string
	Kind  string // counter or gauge
	Value float64
}

// Metrics are the figures of a sample.
func (s Sample) Metrics() []Metric {
	var all []Metric
	add := func(kind, name, help string, value float64) {
		all = append(all, Metric{Name: "agenttier_sandbox_" + name, Help: help, Kind: kind, Value: value})
	}
	if s.CPU != nil {
		add("counter", "cpu_seconds_total", "CPU time used.", float64(s.CPU.UsageUsec)/1e6)
		add("counter", "cpu_throttled_seconds_total", "Time in which the CPU limit held processes back.", float64(s.CPU.ThrottledUsec)/1e6)
		add("gauge", "cpu_limit_cores", "CPU limit; 0 = none.", float64(s.CPU.LimitMillis)/1e3)
	}
	if s.Memory != nil {
		add("gauge", "memory_bytes", "Memory in use.", float64(s.Memory.Usage))
		add("gauge", "memory_working_set_bytes", "Memory in use without idle file pages.", float64(s.Memory.WorkingSet))
		add("gauge", "memory_limit_bytes", "Memory limit; 0 = none.", float64(s.Memory.Limit))
		add("counter", "oom_kills_total", "Processes killed for want of memory.", float64(s.Memory.OOMKills))
	}
	if s.IO != nil {
		add("counter", "io_read_bytes_total", "Bytes read from devices.", float64(s.IO.ReadBytes))
		add("counter", "io_write_bytes_total", "Bytes written to devices.", float64(s.IO.WriteBytes))
	}
	if s.Pids != nil {
		add("gauge", "pids", "Processes and threads.", float64(s.Pids.Current))
	}
	if s.Workspace != nil {
		add("gauge", "workspace_bytes", "Size of the volume.", float64(s.Workspace.Total))
		add("gauge", "workspace_free_bytes", "Room left on the volume.", float64(s.Workspace.Free))
	}
	return all
}

// Write writes figures in the text format of Prometheus.
func Write(to io.Writer, metrics []Metric) {
	for _, m := range metrics {
		fmt.Fprintf(to, "# HELP %s %s\n# TYPE %s %s\n%s %v\n", m.Name, m.Help, m.Name, m.Kind, m.Name, m.Value)
	}
}
