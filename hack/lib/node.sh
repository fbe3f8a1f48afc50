# shellcheck shell=bash
# One node: containerd, kubelet, kube-proxy and the CSI driver, all in the node's
# network namespace and control group, with all their files under $DIR/node<n>.

# cgroup_hierarchies - the roots in which a node has a group of its own.
cgroup_hierarchies() {
	if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
		printf '/sys/fs/cgroup\n'
	else
		# With the unified one beside them, which runc uses too where it is mounted.
		findmnt --noheadings --raw --types cgroup,cgroup2 --output TARGET
	fi
}

node_cgroup() { printf 'paamesh-%s-node%d' "$NAME" "$1"; }

# make_cgroup N - with a leaf `system` for the daemons, beside the pods' groups.
make_cgroup() {
	local root path file
	while read -r root; do
		for path in "$root/$(node_cgroup "$1")" "$root/$(node_cgroup "$1")/system"; do
			mkdir -p "$path"
			# A new cpuset is empty, and nothing may run in an empty one.
			for file in cpuset.cpus cpuset.mems; do
				[[ ! -e $root/tasks || ! -e $path/$file || -n $(<"$path/$file") ]] || cat "${path%/*}/$file" >"$path/$file"
			done
		done
	done < <(cgroup_hierarchies)
}

# cgroup_pids N - every process of the node, its pods included.
cgroup_pids() {
	local root
	while read -r root; do
		[[ ! -d $root/$(node_cgroup "$1") ]] || find "$root/$(node_cgroup "$1")" -name cgroup.procs -exec cat {} +
	done < <(cgroup_hierarchies) 2>/dev/null | sort -u
}

# spawn_on N NAME COMMAND... - in the node's namespace and control groups.
spawn_on() {
	local n=$1 name=$2 groups
	shift 2
	groups=$(cgroup_hierarchies | sed "s|\$|/$(node_cgroup "$n")/system/cgroup.procs|")
	# shellcheck disable=SC2016 # Expanded by the shell that moves itself.
	spawn "node$n-$name" bash -c 'for file in $0; do echo $$ >"$file" || exit 1; done; exec "$@"' "$groups" \
		nsenter --net="$(node_namespace "$n")" -- "$@"
}

configure_containerd() {
	local root=$1 n=$2
	mkdir -p "$root/containerd" "$root/cni/conf" "$root/certs.d/_default"
	cat >"$root/certs.d/_default/hosts.toml" <<-END
		# Every image of every registry comes from the cluster's own.
		server = "http://$REGISTRY"
		[host."http://$REGISTRY"]
		  capabilities = ["pull", "resolve"]
	END
	cat >"$root/cni/conf/10-paamesh.conflist" <<-END
		{
		  "cniVersion": "1.0.0",
		  "name": "paamesh-$NAME-node$n",
		  "plugins": [{
		    "type": "ptp",
		    "ipMasq": false,
		    "ipam": {
		      "type": "host-local",
		      "dataDir": "$root/cni/ipam",
		      "ranges": [[{"subnet": "$(node_pods "$n")"}]],
		      "routes": [{"dst": "0.0.0.0/0"}]
		    }
		  }]
		}
	END
	cat >"$root/containerd.toml" <<-END
		version = 2
		root = "$root/containerd/root"
		state = "$root/containerd/state"
		disabled_plugins = [
		  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
		  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
		  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
		]
		[grpc]
		  address = "$root/containerd.sock"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "$PAUSE_IMAGE"
		  # Negative scores need CAP_SYS_RESOURCE, which a virtual machine may lack.
		  restrict_oom_score_adj = true
		  netns_mounts_under_state_dir = true
		  stream_server_address = "127.0.0.1"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "overlayfs"
		    default_runtime_name = "runc"
		    disable_snapshot_annotations = true
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		      runtime_type = "io.containerd.runc.v2"
		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		        SystemdCgroup = false
		        Root = "$root/containerd/runc"
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/usr/lib/cni"
		    conf_dir = "$root/cni/conf"
		  [plugins."io.containerd.grpc.v1.cri".registry]
		    config_path = "$root/certs.d"
	END
}

configure_kubelet() {
	local root=$1 n=$2
	mkdir -p "$root/kubelet" "$root/pod-logs"
	: >"$root/resolv.conf"
	certificate ca "node$n" "/O=system:nodes/CN=system:node:node$n" "DNS:node$n,IP:$(node_address "$n")"
	kubeconfig "$root/kubelet.kubeconfig" "https://$HOST:$PORT" "node$n"
	cat >"$root/kubelet.yaml" <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		authentication:
		  anonymous: {enabled: false}
		  webhook: {enabled: true}
		  x509: {clientCAFile: $DIR/pki/ca.crt}
		authorization: {mode: Webhook}
		tlsCertFile: $DIR/pki/node$n.crt
		tlsPrivateKeyFile: $DIR/pki/node$n.key
		cgroupDriver: cgroupfs
		cgroupRoot: /$(node_cgroup "$n")
		failCgroupV1: false
		failSwapOn: false
		enforceNodeAllocatable: []
		oomScoreAdj: 0
		containerRuntimeEndpoint: unix://$root/containerd.sock
		clusterDomain: cluster.local
		clusterDNS: [$(service_address 10)]
		resolvConf: $root/resolv.conf
		podLogsDir: $root/pod-logs
		volumePluginDir: $root/volume-plugins
		nodeStatusUpdateFrequency: 2s
		nodeLeaseDurationSeconds: 10
		syncFrequency: 10s
		serializeImagePulls: false
		registryPullQPS: 0
		eventRecordQPS: 0
		kubeAPIQPS: 200
		kubeAPIBurst: 400
		maxPods: 250
		imageGCHighThresholdPercent: 100
		imageGCLowThresholdPercent: 99
		evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
	END
}

start_containerd() {
	local n=$1 root="$DIR/node$1"
	make_cgroup "$n"
	configure_containerd "$root" "$n"
	# The kubelet waits for the socket; one of a dead containerd would deceive it.
	alive "node$n-containerd" || rm -f "$root/containerd.sock"
	spawn_on "$n" containerd containerd --config "$root/containerd.toml" --log-level warn
}

start_kubelet() {
	local n=$1 root="$DIR/node$1"
	configure_kubelet "$root" "$n"
	wait_for 20 test -S "$root/containerd.sock" || die_with_log "containerd of node$n did not start" "$DIR/logs/node$n-containerd.log"
	spawn_on "$n" kubelet "$(tool kubelet)" --config "$root/kubelet.yaml" --kubeconfig "$root/kubelet.kubeconfig" \
		--root-dir "$root/kubelet" --cert-dir "$root/kubelet/pki" --hostname-override "node$n" --node-ip "$(node_address "$n")" \
		--node-labels "topology.kubernetes.io/zone=zone$n"
}

start_kube_proxy() {
	local n=$1 root="$DIR/node$1"
	certificate ca kube-proxy /CN=system:kube-proxy
	kubeconfig "$root/kube-proxy.kubeconfig" "https://$HOST:$PORT" kube-proxy
	spawn_on "$n" kube-proxy "$(tool kube-proxy)" --kubeconfig "$root/kube-proxy.kubeconfig" --hostname-override "node$n" \
		--proxy-mode iptables --cluster-cidr "$POD_CIDR" --iptables-min-sync-period 100ms --oom-score-adj 0 \
		--conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s
}

# The driver ends when it cannot go on; the loop starts it again, and takes it
# along when it is itself killed.
start_csi() {
	local n=$1 root="$DIR/node$1"
	mkdir -p "$DIR/volumes"
	certificate ca csi "/O=system:masters/CN=paamesh-dev-csi"
	kubeconfig "$root/csi.kubeconfig" "https://$HOST:$PORT" csi
	# shellcheck disable=SC2016 # Expanded by the loop's own shell.
	spawn_on "$n" csi bash -c 'while :; do setpriv --pdeathsig KILL -- "$@"; sleep 1; done' csi "$(tool csi)" --node "node$n" \
		--kubeconfig "$root/csi.kubeconfig" --kubelet-root "$root/kubelet" --volumes "$DIR/volumes"
}

# kill_node N - at once and without a goodbye, as a power cut does: processes,
# mounts, the pods' namespaces and whatever a node keeps in memory are gone.
kill_node() {
	local pids file root="$DIR/node$1"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		mapfile -t pids < <(cgroup_pids "$1")
		[[ ${#pids[@]} -gt 0 ]] || break
		kill -KILL "${pids[@]}" 2>/dev/null || true
		sleep 0.1
	done
	rm -f "$DIR/pids/node$1"-*.pid
	for file in "$root"/containerd/state/io.containerd.runtime.v2.task/k8s.io/*/address; do
		[[ ! -e $file ]] || rm -f "$(sed 's|^unix://||' "$file")"
	done
	for file in "$root"/containerd/state/io.containerd.grpc.v1.cri/sandboxes/*; do
		rm -f "/var/lib/cni/results/cni-loopback-${file##*/}-lo"
	done
	unmount_below "$root"
	rm -rf --one-file-system "$root/containerd/state" "$root/containerd/runc" "$root/cni/ipam" "$root/containerd.sock"
	rm -f /var/lib/cni/results/"paamesh-$NAME-node$1"-*
}

# unmount_below DIRECTORY - the innermost first; what is busy goes when it can.
unmount_below() {
	local path
	while read -r path; do umount --lazy "$path" 2>/dev/null || true; done \
		< <(findmnt --noheadings --raw --output TARGET | grep -F "$1/" | sort --reverse)
}

# forget_node N - what a dead node leaves outside of $DIR.
forget_node() {
	local root
	[[ ! -d /var/log/containers ]] || find /var/log/containers -lname "$DIR/node$1/*" -delete
	while read -r root; do
		[[ ! -d $root/$(node_cgroup "$1") ]] || find "$root/$(node_cgroup "$1")" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done < <(cgroup_hierarchies)
}
