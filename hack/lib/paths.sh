# shellcheck shell=bash
# Where things lie: the cache (built once, keyed by version, safe to delete) and
# the tools in it. Versions are read from the go.mod files, which alone pin them.

HACK=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PAAMESH_CACHE=${PAAMESH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/paamesh}

# TOOL[name] = "module directory, package, module that gives the version".
# A package "." is a program of our own, so its sources are part of the key.
declare -A TOOL=(
	[etcd]="tools/kubernetes go.etcd.io/etcd/server/v3 go.etcd.io/etcd/server/v3"
	[coredns]="tools/coredns . github.com/coredns/coredns"
	[registry]="tools/registry . github.com/distribution/distribution/v3"
	[referrers]="tools/referrers . github.com/google/go-containerregistry"
	[crane]="tools/registry github.com/google/go-containerregistry/cmd/crane github.com/google/go-containerregistry"
	[helm]="tools/helm helm.sh/helm/v4/cmd/helm helm.sh/helm/v4"
	[csi]="csi . k8s.io/client-go"
	[cosign2]="tools/cosign2 github.com/sigstore/cosign/v2/cmd/cosign github.com/sigstore/cosign/v2"
	[cosign3]="tools/cosign3 github.com/sigstore/cosign/v3/cmd/cosign github.com/sigstore/cosign/v3"
	[fulcio]="tools/sigstore github.com/sigstore/fulcio github.com/sigstore/fulcio"
	[timestamp-server]="tools/sigstore github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server github.com/sigstore/timestamp-authority/v2"
)
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl kubelet kube-proxy; do
	TOOL[$name]="tools/kubernetes k8s.io/kubernetes/cmd/$name k8s.io/kubernetes"
done
unset name

# In the order in which they are wanted: a control plane first. What signs is for `make test-long` alone.
TOOLS_IN_ORDER=(etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet kube-proxy
	crane registry referrers csi coredns helm)

# tool_version NAME - the pinned version of the module that the tool comes from.
tool_version() {
	local directory module
	read -r directory _ module <<<"${TOOL[$1]}"
	awk -v module="$module" '$1 == "require" { $1 = ""; $0 = $0 } $1 == module && $2 ~ /^v/ { print $2; exit }' \
		"$HACK/$directory/go.mod"
}

# tool NAME - the path of the binary in the cache, whether or not it is there.
tool() {
	local directory package version family=$1
	read -r directory package _ <<<"${TOOL[$1]}"
	version=$(tool_version "$1")
	case $1 in kube*) family=kubernetes ;; esac
	if [[ $package == . ]]; then
		version+=-$(cat "$HACK/$directory"/*.go "$HACK/$directory/go.mod" | sha256sum | cut -c1-8)
	fi
	printf '%s/bin/%s-%s/%s' "$PAAMESH_CACHE" "$family" "$version" "$1"
}
