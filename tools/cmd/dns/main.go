// SPDX-License-Identifier: Apache-2.0

// Command dns is CoreDNS with the few plugins that a cluster's DNS needs, so that it builds without the cloud SDKs
// which the full plugin list pulls in.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

// init sets the order in which a query passes the plugins: the order of CoreDNS's own plugin.cfg.
func init() {
	dnsserver.Directives = []string{
		"reload", "bind", "errors", "health", "ready", "loadbalance", "cache", "hosts", "kubernetes", "forward",
	}
}

func main() {
	coremain.Run()
}
