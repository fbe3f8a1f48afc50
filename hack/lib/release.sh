# shellcheck shell=bash
# The programs as people get them: release builds, and what is needed to play
# with them on this machine.

MUSL=x86_64-unknown-linux-musl
PROGRAMS=(--paamesh target/release/paamesh --agent "target/$MUSL/release/paamesh-agent")

# build_release - cargo shows its progress itself where somebody watches.
build_release() {
	cd "$HACK/.." || exit
	"$HACK/tools/apt"
	command -v cargo >/dev/null || die "cargo is not in PATH" "Install Rust with rustup: https://rustup.rs"
	"$HACK/tools/build"
	step "release build: programs" cargo build --release \
		--package paamesh --package paamesh-catalog --package paamesh-story --package paamesh-bench --bins
	step "release build: agent" cargo build --release --package paamesh-agent --target "$MUSL"
}
