# shellcheck shell=bash
# etcd, the API server and the controller manager under $DIR, for the bare
# control plane and for the cluster alike. The caller sets:
#   DIR           state directory
#   HOST          address on which the API server listens and is reached
#   PORT          its port; ETCD_PORT and ETCD_PEER_PORT on loopback
#   SERVICE_CIDR  range of Services
# and passes what is particular to it as further flags.

control_plane_pki() {
	authority ca
	authority front-proxy-ca
	service_account_keys
	certificate ca apiserver /CN=kube-apiserver \
		"DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$HOST,IP:$(service_address 1)"
	certificate ca admin "/O=system:masters/CN=admin"
	certificate front-proxy-ca front-proxy /CN=front-proxy
	kubeconfig "$DIR/kubeconfig" "https://$HOST:$PORT" admin
}

# service_address N - the N-th address of the Service range.
service_address() {
	local network=${SERVICE_CIDR%/*}
	printf '%s.%d' "${network%.*}" "$((${network##*.} + $1))"
}

start_etcd() {
	mkdir -p "$DIR/etcd"
	chmod 700 "$DIR/etcd"
	spawn etcd "$(tool etcd)" --name default --data-dir "$DIR/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
		--listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" \
		--initial-cluster "default=http://127.0.0.1:$ETCD_PEER_PORT" --quota-backend-bytes 4294967296
}

# start_apiserver FLAG... - with every request in $DIR/audit.log before the next
# one of the same client is answered.
start_apiserver() {
	local pki="$DIR/pki"
	cat >"$DIR/audit-policy.yaml" <<-'END'
		apiVersion: audit.k8s.io/v1
		kind: Policy
		omitStages: [RequestReceived]
		rules:
		- level: Metadata
	END
	spawn kube-apiserver "$(tool kube-apiserver)" \
		--etcd-servers "http://127.0.0.1:$ETCD_PORT" --storage-media-type application/vnd.kubernetes.protobuf \
		--secure-port "$PORT" --service-cluster-ip-range "$SERVICE_CIDR" --cert-dir "$pki" \
		--client-ca-file "$pki/ca.crt" --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
		--service-account-issuer https://kubernetes.default.svc.cluster.local \
		--service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
		--requestheader-client-ca-file "$pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy \
		--requestheader-extra-headers-prefix X-Remote-Extra- --requestheader-group-headers X-Remote-Group \
		--requestheader-username-headers X-Remote-User \
		--proxy-client-cert-file "$pki/front-proxy.crt" --proxy-client-key-file "$pki/front-proxy.key" \
		--audit-policy-file "$DIR/audit-policy.yaml" --audit-log-path "$DIR/audit.log" --audit-log-mode blocking \
		--audit-log-maxsize 1024 --audit-log-maxbackup 1 \
		--max-requests-inflight 1000 --max-mutating-requests-inflight 500 --allow-privileged --profiling=false "$@"
}

# start_controller_manager FLAG...
start_controller_manager() {
	certificate ca controller-manager /CN=system:kube-controller-manager
	kubeconfig "$DIR/controller-manager.kubeconfig" "https://$HOST:$PORT" controller-manager
	spawn kube-controller-manager "$(tool kube-controller-manager)" --kubeconfig "$DIR/controller-manager.kubeconfig" \
		--service-account-private-key-file "$DIR/pki/sa.key" --root-ca-file "$DIR/pki/ca.crt" \
		--use-service-account-credentials=true --leader-elect=false --bind-address 127.0.0.1 --profiling=false "$@"
}

# request PATH - a GET by the administrator, quiet; fails unless it is a 2xx.
request() {
	curl --silent --fail --max-time 5 --cacert "$DIR/pki/ca.crt" \
		--cert "$DIR/pki/admin.crt" --key "$DIR/pki/admin.key" "https://$HOST:$PORT$1"
}

apiserver_ready() {
	request /readyz && request /api/v1/namespaces/default
}

# await_apiserver SECONDS - or says which of the two ended, with its log.
await_apiserver() {
	local deadline=$(($(milliseconds) + $1 * 1000)) name
	until apiserver_ready >/dev/null 2>&1; do
		for name in etcd kube-apiserver; do
			alive "$name" || die_with_log "$name ended" "$DIR/logs/$name.log"
		done
		[[ $(milliseconds) -lt $deadline ]] ||
			die_with_log "the API server was not ready after $1 s" "$DIR/logs/kube-apiserver.log"
		sleep 0.05
	done
}
