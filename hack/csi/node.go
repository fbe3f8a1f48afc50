package main

import (
	"context"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// nodeServer is what the kubelet calls: identity, mount and unmount. It does not
// announce expansion; the provisioner grows the mounted file system itself,
// which takes a second where the kubelet may take ninety.
type nodeServer struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedNodeServer
	node    string
	volumes volumes
}

// serveKubelet listens on the driver's socket and then on the one by which the
// kubelet finds it.
func serveKubelet(ctx context.Context, node, kubeletRoot string, volumes volumes) error {
	socket := filepath.Join(kubeletRoot, "plugins", driverName, "csi.sock")
	driver := grpc.NewServer()
	server := &nodeServer{node: node, volumes: volumes}
	csi.RegisterIdentityServer(driver, server)
	csi.RegisterNodeServer(driver, server)
	if err := serve(ctx, driver, socket); err != nil {
		return err
	}
	registrar := grpc.NewServer()
	registration.RegisterRegistrationServer(registrar, registrationServer{socket: socket})
	return serve(ctx, registrar, filepath.Join(kubeletRoot, "plugins_registry", driverName+"-reg.sock"))
}

func serve(ctx context.Context, server *grpc.Server, socket string) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return err
	}
	os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() {
		if err := server.Serve(listener); err != nil {
			log.Fatalf("socket %s: %v", socket, err)
		}
	}()
	context.AfterFunc(ctx, server.Stop)
	return nil
}

func (s *nodeServer) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: "1.0.0"}, nil
}

func (s *nodeServer) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

func (s *nodeServer) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

func (s *nodeServer) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: s.node}, nil
}

func (s *nodeServer) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	stats := &csi.NodeServiceCapability_RPC{Type: csi.NodeServiceCapability_RPC_GET_VOLUME_STATS}
	return &csi.NodeGetCapabilitiesResponse{Capabilities: []*csi.NodeServiceCapability{
		{Type: &csi.NodeServiceCapability_Rpc{Rpc: stats}},
	}}, nil
}

func (s *nodeServer) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	id := request.GetVolumeId()
	if id == "" || strings.ContainsRune(id, '/') {
		return nil, status.Errorf(codes.InvalidArgument, "volume id %q", id)
	}
	if request.GetVolumeCapability().GetBlock() != nil {
		return nil, status.Error(codes.InvalidArgument, "block volumes are not supported; use volumeMode: Filesystem")
	}
	if err := s.volumes.mount(id, request.GetTargetPath()); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (s *nodeServer) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if err := s.volumes.unmount(request.GetTargetPath()); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

func (s *nodeServer) NodeGetVolumeStats(_ context.Context, request *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	var found unix.Statfs_t
	if err := unix.Statfs(request.GetVolumePath(), &found); err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	block := int64(found.Bsize)
	return &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{{
		Unit:      csi.VolumeUsage_BYTES,
		Total:     int64(found.Blocks) * block,
		Available: int64(found.Bavail) * block,
		Used:      int64(found.Blocks-found.Bfree) * block,
	}, {
		Unit:      csi.VolumeUsage_INODES,
		Total:     int64(found.Files),
		Available: int64(found.Ffree),
		Used:      int64(found.Files - found.Ffree),
	}}}, nil
}
