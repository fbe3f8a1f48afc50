package main

import (
	"context"
	"encoding/json"
	"log"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
)

// retryInterval bounds how long a failed step waits for the next attempt; what
// changes in the cluster is looked at at once.
const retryInterval = 2 * time.Second

// selectedNode is set by the scheduler on a claim that waits for its consumer.
const selectedNode = "volume.kubernetes.io/selected-node"

// provisioner brings volumes to what the claims ask for. The processes of all
// nodes run it: a claim with a selected node is provisioned there, and whatever
// two of them do at once is idempotent under the volume's lock.
type provisioner struct {
	client  kubernetes.Interface
	node    string
	volumes volumes
	claims  corelisters.PersistentVolumeClaimLister
	disks   corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
	factory informers.SharedInformerFactory
	changed chan struct{}
}

func newProvisioner(client kubernetes.Interface, node string, volumes volumes) *provisioner {
	factory := informers.NewSharedInformerFactory(client, 0)
	p := &provisioner{
		client:  client,
		node:    node,
		volumes: volumes,
		claims:  factory.Core().V1().PersistentVolumeClaims().Lister(),
		disks:   factory.Core().V1().PersistentVolumes().Lister(),
		classes: factory.Storage().V1().StorageClasses().Lister(),
		factory: factory,
		changed: make(chan struct{}, 1),
	}
	notify := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { p.wake() },
		UpdateFunc: func(any, any) { p.wake() },
		DeleteFunc: func(any) { p.wake() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().PersistentVolumeClaims().Informer(),
		factory.Core().V1().PersistentVolumes().Informer(),
		factory.Storage().V1().StorageClasses().Informer(),
	} {
		informer.AddEventHandler(notify)
	}
	return p
}

func (p *provisioner) wake() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *provisioner) run(ctx context.Context) error {
	p.factory.Start(ctx.Done())
	p.factory.WaitForCacheSync(ctx.Done())
	retry := time.NewTicker(retryInterval)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.changed:
		case <-retry.C:
		}
		p.reconcile(ctx)
	}
}

func (p *provisioner) reconcile(ctx context.Context) {
	claims, _ := p.claims.List(labels.Everything())
	for _, claim := range claims {
		var err error
		if claim.Spec.VolumeName == "" {
			err = p.provision(ctx, claim)
		} else if claim.Status.Phase == core.ClaimBound {
			err = p.expand(ctx, claim)
		}
		report("claim "+claim.Namespace+"/"+claim.Name, err)
	}
	disks, _ := p.disks.List(labels.Everything())
	for _, disk := range disks {
		report("volume "+disk.Name, p.release(ctx, disk))
	}
}

// provision creates the volume of a claim that is ours to serve.
func (p *provisioner) provision(ctx context.Context, claim *core.PersistentVolumeClaim) error {
	if claim.Spec.StorageClassName == nil || claim.DeletionTimestamp != nil || claim.Spec.Selector != nil {
		return nil
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil || class.Provisioner != driverName {
		return nil
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storage.VolumeBindingWaitForFirstConsumer
	if waits && claim.Annotations[selectedNode] != p.node {
		return nil
	}
	name := "pvc-" + string(claim.UID)
	if _, err := p.disks.Get(name); err == nil {
		return nil
	}
	size, err := p.volumes.create(name, claim.Spec.Resources.Requests.Storage().Value())
	if err != nil {
		return err
	}
	_, err = p.client.CoreV1().PersistentVolumes().Create(ctx, disk(name, size, claim, class), meta.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func disk(name string, size int64, claim *core.PersistentVolumeClaim, class *storage.StorageClass) *core.PersistentVolume {
	policy := core.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": driverName},
		},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: *resource.NewQuantity(size, resource.BinarySI)},
			PersistentVolumeReclaimPolicy: policy,
			StorageClassName:              class.Name,
			VolumeMode:                    claim.Spec.VolumeMode,
			MountOptions:                  class.MountOptions,
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1",
				Kind:       "PersistentVolumeClaim",
				Namespace:  claim.Namespace,
				Name:       claim.Name,
				UID:        claim.UID,
			},
			PersistentVolumeSource: core.PersistentVolumeSource{
				CSI: &core.CSIPersistentVolumeSource{Driver: driverName, VolumeHandle: name, FSType: "xfs"},
			},
		},
	}
}

// expand grows the file system first and then says so, first on the volume and
// then on the claim: whoever reads the claim's capacity can use it.
func (p *provisioner) expand(ctx context.Context, claim *core.PersistentVolumeClaim) error {
	wanted := claim.Spec.Resources.Requests[core.ResourceStorage]
	if have := claim.Status.Capacity[core.ResourceStorage]; wanted.Cmp(have) <= 0 {
		return nil
	}
	disk, err := p.disks.Get(claim.Spec.VolumeName)
	if err != nil || disk.Spec.CSI == nil || disk.Spec.CSI.Driver != driverName {
		return nil
	}
	size, err := p.volumes.grow(disk.Spec.CSI.VolumeHandle, wanted.Value())
	if err != nil {
		return err
	}
	capacity := map[string]any{"capacity": map[string]any{"storage": resource.NewQuantity(size, resource.BinarySI).String()}}
	_, err = p.client.CoreV1().PersistentVolumes().
		Patch(ctx, disk.Name, types.MergePatchType, encoded(map[string]any{"spec": capacity}), meta.PatchOptions{})
	if err != nil {
		return err
	}
	_, err = p.client.CoreV1().PersistentVolumeClaims(claim.Namespace).
		Patch(ctx, claim.Name, types.MergePatchType, encoded(map[string]any{"status": capacity}), meta.PatchOptions{}, "status")
	return err
}

// release deletes the file and the volume of a claim that is gone, where the
// reclaim policy says so. The loop device of a mount that is still closing keeps
// the deleted file until it ends.
func (p *provisioner) release(ctx context.Context, disk *core.PersistentVolume) error {
	source := disk.Spec.CSI
	if source == nil || source.Driver != driverName || disk.Status.Phase != core.VolumeReleased ||
		disk.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete {
		return nil
	}
	if err := p.volumes.remove(source.VolumeHandle); err != nil {
		return err
	}
	precondition := meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(disk.UID))}
	err := p.client.CoreV1().PersistentVolumes().Delete(ctx, disk.Name, precondition)
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		return nil
	}
	return err
}

func encoded(patch map[string]any) []byte {
	out, _ := json.Marshal(patch) // A map of strings always encodes.
	return out
}

func report(what string, err error) {
	if err != nil {
		log.Printf("%s: %v; tried again in %s", what, err, retryInterval)
	}
}
