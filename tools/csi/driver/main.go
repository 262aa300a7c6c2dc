// SPDX-License-Identifier: Apache-2.0

// Command driver is a CSI driver for tests: a volume is a folder of the node, a snapshot is a copy of one. It makes the
// bare node's storage behave as a cloud's does (dynamic provisioning, snapshots, clones, fsGroup), with nothing
// pretended: the upstream provisioner and snapshotter speak to it.
package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// driverName is the provisioner of the storage class.
const driverName = "csi.agenttier.dev"

type identity struct {
	csi.UnimplementedIdentityServer
}

func (identity) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: "0.1.0"}, nil
}

func (identity) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{
		{Type: &csi.PluginCapability_Service_{Service: &csi.PluginCapability_Service{
			Type: csi.PluginCapability_Service_CONTROLLER_SERVICE,
		}}},
		// A folder has no size of its own: growing it, in use or not, is a matter of the record alone.
		{Type: &csi.PluginCapability_VolumeExpansion_{VolumeExpansion: &csi.PluginCapability_VolumeExpansion{
			Type: csi.PluginCapability_VolumeExpansion_ONLINE,
		}}},
	}}, nil
}

func (identity) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

// registrar answers the kubelet's plugin watcher, which finds it by its socket in plugins_registry.
type registrar struct {
	registration.UnimplementedRegistrationServer
	endpoint string
}

func (r registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: driverName, Endpoint: r.endpoint, SupportedVersions: []string{"1.0.0"},
	}, nil
}

func (r registrar) NotifyRegistrationStatus(_ context.Context, result *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !result.GetPluginRegistered() {
		log.Printf("the kubelet refused the driver: %s", result.GetError())
	}
	return &registration.RegistrationStatusResponse{}, nil
}

// listen takes over a socket that a killed driver left behind.
func listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}

func run() error {
	state := flag.String("state-dir", "", "folder that holds the volumes and snapshots")
	endpoint := flag.String("endpoint", "", "path of the CSI socket")
	registry := flag.String("registration-dir", "", "the kubelet's plugins_registry folder")
	nodeName := flag.String("node-name", "", "name of this node")
	flag.Parse()
	if *state == "" || *endpoint == "" || *registry == "" || *nodeName == "" {
		return errors.New("--state-dir, --endpoint, --registration-dir and --node-name are required")
	}
	volumes, err := newShelf(filepath.Join(*state, "volumes"))
	if err != nil {
		return err
	}
	snapshots, err := newShelf(filepath.Join(*state, "snapshots"))
	if err != nil {
		return err
	}
	driver := grpc.NewServer()
	csi.RegisterIdentityServer(driver, identity{})
	csi.RegisterControllerServer(driver, &controller{volumes: volumes, snapshots: snapshots})
	csi.RegisterNodeServer(driver, &node{name: *nodeName, volumes: volumes})
	register := grpc.NewServer()
	registration.RegisterRegistrationServer(register, registrar{endpoint: *endpoint})

	driverSocket, err := listen(*endpoint)
	if err != nil {
		return err
	}
	registerSocket, err := listen(filepath.Join(*registry, driverName+"-reg.sock"))
	if err != nil {
		return err
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	failed := make(chan error, 2)
	go func() { failed <- driver.Serve(driverSocket) }()
	go func() { failed <- register.Serve(registerSocket) }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
		driver.Stop()
		register.Stop()
		return nil
	}
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
