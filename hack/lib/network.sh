# shellcheck shell=bash
# Addresses, the bridge of a cluster on the host, and one network namespace for
# each node. Everything follows from the cluster's INDEX (0-15), so two clusters
# never meet:
#   bridge  pm<INDEX>, 10.89.<INDEX>.1/24; node n is 10.89.<INDEX>.<10+n>
#   pods    10.<200+INDEX>.<n>.0/24 on node n
#   services 10.<160+INDEX>.0.0/16
#
# A namespace is a file under $DIR that nsenter opens. `ip netns` is not used: its
# first call on a machine hides the namespaces of all running pods.

network_plan() {
	BRIDGE=pm$INDEX
	HOST=10.89.$INDEX.1
	POD_CIDR=10.$((200 + INDEX)).0.0/16
	SERVICE_CIDR=10.$((160 + INDEX)).0.0/16
	REGISTRY=$HOST:5000
}

node_address() { printf '10.89.%d.%d' "$INDEX" "$((10 + $1))"; }
node_pods() { printf '10.%d.%d.0/24' "$((200 + INDEX))" "$1"; }
node_veth() { printf '%sn%d' "$BRIDGE" "$1"; }
node_namespace() { printf '%s/netns/node%d' "$DIR" "$1"; }

inside() {
	local n=$1
	shift
	nsenter --net="$(node_namespace "$n")" "$@"
}

start_bridge() {
	local limit
	sysctl --quiet --write net.ipv4.ip_forward=1
	# Each kubelet and containerd watches many files.
	limit=$(sysctl --values fs.inotify.max_user_instances)
	[[ $limit -ge 1024 ]] || sysctl --quiet --write fs.inotify.max_user_instances=1024
	[[ -e /sys/class/net/$BRIDGE ]] || ip link add "$BRIDGE" type bridge
	ip address replace "$HOST/24" dev "$BRIDGE"
	ip link set "$BRIDGE" up
}

# start_node_network N OF - the namespace, its link, and routes both ways.
start_node_network() {
	local n=$1 count=$2 file veth other
	file=$(node_namespace "$n") veth=$(node_veth "$n")
	if ! mountpoint --quiet "$file"; then
		mkdir -p "${file%/*}"
		touch "$file"
		unshare --net="$file" true
		inside "$n" ip link set lo up
	fi
	if [[ ! -e /sys/class/net/$veth ]]; then
		ip link add "$veth" type veth peer name eth0 netns "$file"
	fi
	ip link set "$veth" master "$BRIDGE" up
	inside "$n" ip address replace "$(node_address "$n")/24" dev eth0
	inside "$n" ip link set eth0 up
	inside "$n" ip route replace default via "$HOST"
	inside "$n" sysctl --quiet --write net.ipv4.ip_forward=1
	ip route replace "$(node_pods "$n")" via "$(node_address "$n")"
	[[ $n -ne 1 ]] || ip route replace "$SERVICE_CIDR" via "$(node_address 1)"
	for ((other = 1; other <= count; other++)); do
		[[ $other -ne $n ]] || continue
		inside "$n" ip route replace "$(node_pods "$other")" via "$(node_address "$other")"
		! mountpoint --quiet "$(node_namespace "$other")" ||
			inside "$other" ip route replace "$(node_pods "$n")" via "$(node_address "$n")"
	done
}

# stop_network - routes go with the bridge, addresses with the namespaces.
stop_network() {
	local link
	for link in /sys/class/net/"$BRIDGE"n* /sys/class/net/"$BRIDGE"; do
		[[ ! -e $link ]] || ip link delete "${link##*/}"
	done
}
