// A CSI driver for development clusters: network storage without a network.
//
// A volume is a sparse file with XFS in one directory that all nodes of a
// cluster share, mounted through a loop device, so a pod that moves to another
// node finds its data there. XFS because it grows while mounted without
// CAP_SYS_RESOURCE, which ext4 needs.
//
// One process per node serves the kubelet (node.go), announces itself to the
// kubelet (registration.go), and does what the external sidecars do elsewhere:
// it provisions, expands and deletes (provisioner.go). There is no Controller
// service, because nobody would call it, and no attachment, snapshot, clone or
// block volume.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// driverName is the provisioner of the StorageClass and the name of the CSIDriver.
const driverName = "csi.dev.middleware.io"

func main() {
	node := flag.String("node", "", "name of the node that this process serves")
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig with rights on volumes and claims")
	kubeletRoot := flag.String("kubelet-root", "", "root directory of the node's kubelet")
	directory := flag.String("volumes", "", "directory of the volume files, shared by all nodes")
	flag.Parse()
	if *node == "" || *kubeconfig == "" || *kubeletRoot == "" || *directory == "" {
		log.Fatal("--node, --kubeconfig, --kubelet-root and --volumes are all needed")
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *node, *kubeconfig, *kubeletRoot, volumes{*directory}); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, node, kubeconfig, kubeletRoot string, volumes volumes) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 200, 400
	config.UserAgent = "paamesh-dev-csi"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := serveKubelet(ctx, node, kubeletRoot, volumes); err != nil {
		return err
	}
	return newProvisioner(client, node, volumes).run(ctx)
}
