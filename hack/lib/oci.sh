# shellcheck shell=bash
# OCI image layouts on disk, written with tar, jq and sha256sum. A layout under
# $PAAMESH_CACHE/images holds one image; layout_of says where a reference lies.
# crane pushes a layout without reading blobs that the registry has.

# layout_of REF - "paamesh/agent:dev" -> ".../images/paamesh_agent@dev".
layout_of() {
	local ref=${1//\//_}
	printf '%s/images/%s' "$PAAMESH_CACHE" "${ref/:/@}"
}

# repository_of REF - the path under which container runtimes look for REF in a
# mirror: "redis:7" is library/redis, and a registry's host name is left out.
repository_of() {
	local first=${1%%/*}
	if [[ $1 != */* ]]; then
		printf 'library/%s' "$1"
	elif [[ $first == *.* || $first == *:* || $first == localhost ]]; then
		printf '%s' "${1#*/}"
	else
		printf '%s' "$1"
	fi
}

digest_of() { sha256sum "$1" | cut -d' ' -f1; }

# add_blob LAYOUT FILE - moves the file in and prints its descriptor's digest and size.
add_blob() {
	local digest size
	digest=$(digest_of "$2")
	size=$(stat --format %s "$2")
	mkdir -p "$1/blobs/sha256"
	mv "$2" "$1/blobs/sha256/$digest"
	printf 'sha256:%s %s' "$digest" "$size"
}

# layer_tar DIRECTORY - the tree as a tar that depends on its contents alone.
layer_tar() {
	tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu -C "$1" .
}

# add_layer LAYOUT TAR gzip|plain - prints "media type, digest, size, diff id".
add_layer() {
	local diff type=application/vnd.oci.image.layer.v1.tar file=$2
	diff=sha256:$(digest_of "$file")
	if [[ $3 == gzip ]]; then
		gzip --fast --no-name "$file"
		file+=.gz
		type+=+gzip
	fi
	printf '%s %s %s' "$type" "$(add_blob "$1" "$file")" "$diff"
}

# write_image LAYOUT CONFIG LAYERS - CONFIG is a JSON file with the image's
# configuration, LAYERS a file with a line of add_layer for each layer.
write_image() {
	local layout=$1 type digest size diff layers='[]' diffs='[]' config manifest
	while read -r type digest size diff; do
		layers=$(jq -c ". + [{mediaType: \"$type\", digest: \"$digest\", size: $size}]" <<<"$layers")
		diffs=$(jq -c ". + [\"$diff\"]" <<<"$diffs")
	done <"$3"
	jq -c "{created: \"1970-01-01T00:00:00Z\", architecture: \"amd64\", os: \"linux\", config: ., rootfs: {type: \"layers\", diff_ids: $diffs}}" \
		"$2" >"$layout/config"
	config=$(add_blob "$layout" "$layout/config")
	cat >"$layout/manifest" <<-END
		{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"${config% *}","size":${config#* }},"layers":$layers}
	END
	manifest=$(add_blob "$layout" "$layout/manifest")
	cat >"$layout/index.json" <<-END
		{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"${manifest% *}","size":${manifest#* }}]}
	END
	printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
	cp "$2" "$layout/base-config.json"
	cp "$3" "$layout/base-layers"
}

# publish LAYOUT.partial REF - puts the finished layout in the place of an older one.
publish() {
	local place
	place=$(layout_of "$2")
	rm -rf "$place.old"
	[[ ! -e $place ]] || mv "$place" "$place.old"
	mv "$1" "$place"
	rm -rf "$place.old"
}
