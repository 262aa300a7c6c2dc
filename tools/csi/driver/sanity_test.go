// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/kubernetes-csi/csi-test/v5/pkg/sanity"
	"google.golang.org/grpc"
)

// TestSanity runs the CSI project's own suite against the driver. It mounts, so it needs root, as the driver does.
func TestSanity(t *testing.T) {
	dir := t.TempDir()
	volumes, err := newShelf(filepath.Join(dir, "volumes"))
	if err != nil {
		t.Fatal(err)
	}
	snapshots, err := newShelf(filepath.Join(dir, "snapshots"))
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "csi.sock")
	listener, err := listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	csi.RegisterIdentityServer(server, identity{})
	csi.RegisterControllerServer(server, &controller{volumes: volumes, snapshots: snapshots})
	csi.RegisterNodeServer(server, &node{name: "here", volumes: volumes})
	go server.Serve(listener) //nolint:errcheck // ends with the test
	defer server.Stop()
	config := sanity.NewTestConfig()
	config.Address = "unix://" + socket
	config.TargetPath = filepath.Join(dir, "target")
	config.StagingPath = filepath.Join(dir, "staging")
	config.TestVolumeExpandSize = 20 * 1024 * 1024 * 1024
	sanity.Test(t, config)
}
