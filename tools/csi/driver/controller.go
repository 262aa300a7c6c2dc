// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// controller makes and deletes volumes and snapshots. Each call is idempotent by the name that the sidecar sends.
type controller struct {
	csi.UnimplementedControllerServer
	volumes   *Shelf
	snapshots *Shelf
}

func (c *controller) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	kinds := []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csi.ControllerServiceCapability_RPC_CLONE_VOLUME,
		csi.ControllerServiceCapability_RPC_EXPAND_VOLUME,
	}
	answer := &csi.ControllerGetCapabilitiesResponse{}
	for _, kind := range kinds {
		answer.Capabilities = append(answer.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: kind}},
		})
	}
	return answer, nil
}

func (c *controller) CreateVolume(_ context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if request.GetName() == "" || len(request.GetVolumeCapabilities()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "name and volume_capabilities are required")
	}
	wanted := request.GetCapacityRange().GetRequiredBytes()
	fill, source, err := c.contents(request.GetVolumeContentSource(), &wanted)
	if err != nil {
		return nil, err
	}
	record, err := c.volumes.ensure(Record{ID: request.GetName(), Capacity: wanted, Source: source, Created: time.Now()}, fill)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	limit := request.GetCapacityRange().GetLimitBytes()
	if record.Capacity < wanted || (limit > 0 && record.Capacity > limit) {
		return nil, status.Errorf(codes.AlreadyExists, "volume %s exists with %d bytes", record.ID, record.Capacity)
	}
	return &csi.CreateVolumeResponse{Volume: &csi.Volume{
		VolumeId: record.ID, CapacityBytes: record.Capacity, ContentSource: request.GetVolumeContentSource(),
	}}, nil
}

// contents tells how to fill a new volume. A copy is at least as large as what it copies.
func (c *controller) contents(from *csi.VolumeContentSource, wanted *int64) (func(string) error, string, error) {
	shelf, id := c.volumes, from.GetVolume().GetVolumeId()
	if snapshot := from.GetSnapshot().GetSnapshotId(); snapshot != "" {
		shelf, id = c.snapshots, snapshot
	}
	if id == "" {
		return emptyFolder, "", nil
	}
	record, err := shelf.get(id)
	if errors.Is(err, errNotFound) {
		return nil, "", status.Errorf(codes.NotFound, "content source %s does not exist", id)
	}
	if err != nil {
		return nil, "", status.Error(codes.Internal, err.Error())
	}
	*wanted = max(*wanted, record.Capacity)
	return copyOf(shelf.folder(id)), id, nil
}

func (c *controller) DeleteVolume(_ context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	if request.GetVolumeId() == "" {
		return nil, status.Error(codes.InvalidArgument, "volume_id is required")
	}
	if err := c.volumes.remove(request.GetVolumeId()); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.DeleteVolumeResponse{}, nil
}

func (c *controller) ControllerExpandVolume(_ context.Context, request *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	if request.GetVolumeId() == "" || request.GetCapacityRange() == nil {
		return nil, status.Error(codes.InvalidArgument, "volume_id and capacity_range are required")
	}
	record, err := c.volumes.get(request.GetVolumeId())
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	record.Capacity = max(record.Capacity, request.GetCapacityRange().GetRequiredBytes())
	if err := c.volumes.write(record); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: record.Capacity}, nil
}

func (c *controller) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if request.GetVolumeId() == "" || len(request.GetVolumeCapabilities()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "volume_id and volume_capabilities are required")
	}
	if _, err := c.volumes.get(request.GetVolumeId()); err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeCapabilities: request.GetVolumeCapabilities(),
	}}, nil
}

func (c *controller) CreateSnapshot(_ context.Context, request *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if request.GetName() == "" || request.GetSourceVolumeId() == "" {
		return nil, status.Error(codes.InvalidArgument, "name and source_volume_id are required")
	}
	volume, err := c.volumes.get(request.GetSourceVolumeId())
	if err != nil {
		return nil, status.Errorf(codes.NotFound, "volume %s: %v", request.GetSourceVolumeId(), err)
	}
	fresh := Record{ID: request.GetName(), Capacity: volume.Capacity, Source: volume.ID, Created: time.Now()}
	record, err := c.snapshots.ensure(fresh, copyOf(c.volumes.folder(volume.ID)))
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if record.Source != volume.ID {
		return nil, status.Errorf(codes.AlreadyExists, "snapshot %s is of volume %s", record.ID, record.Source)
	}
	return &csi.CreateSnapshotResponse{Snapshot: &csi.Snapshot{
		SnapshotId: record.ID, SourceVolumeId: record.Source, SizeBytes: record.Capacity,
		CreationTime: timestamppb.New(record.Created), ReadyToUse: true,
	}}, nil
}

func (c *controller) DeleteSnapshot(_ context.Context, request *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if request.GetSnapshotId() == "" {
		return nil, status.Error(codes.InvalidArgument, "snapshot_id is required")
	}
	if err := c.snapshots.remove(request.GetSnapshotId()); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.DeleteSnapshotResponse{}, nil
}
