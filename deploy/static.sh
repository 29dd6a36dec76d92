#!/usr/bin/env bash
# Runs cargo so that it builds the static program, with the same bytes wherever a commit is built: paths of this machine
# do not get into it. The list of its dependencies does (cargo-auditable).
#
#   deploy/static.sh build --locked --profile dist     cargo's own arguments; the target is added
#   deploy/static.sh --target                          prints the target: $TARGET, or this machine's kind
#   deploy/static.sh --epoch                           prints the commit's time, which all files of a release bear
#   deploy/static.sh --path                            prints where those cargo commands are
#   deploy/static.sh --tools [NAME…]                   installs the target, and the cargo commands that a release needs
#
# Needs Rust by rustup, musl-gcc (Debian's package musl-tools), and git, or SOURCE_DATE_EPOCH outside of a checkout. For
# another kind of machine it takes Debian's cross compiler, and MUSL=DIRECTORY with the headers of musl for that machine, such
# as those of the package musl-dev:arm64.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${TARGET:-$(uname -m)-unknown-linux-musl}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
# Not below target/: cargo-auditable is a wrapper of the compiler, and cargo makes the path of one a part of every symbol.
tools=$cargo_home/cdsw-gateway-release-tools
export PATH=$tools/bin:$PATH

install_tools() {
  [ -d "$(rustc --target "$target" --print target-libdir)" ] || rustup target add "$target"
  local name version
  while read -r name version; do
    [ ! -f "$tools/$name-$version.ready" ] || continue
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
    echo "installing $name $version with cargo, into $tools (a minute or two, once)" >&2
    # One directory for all, since they share dependencies. They run for seconds: they need not be fast.
    CARGO_TARGET_DIR=$tools/build CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
      CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_PANIC=unwind \
      cargo install --quiet --locked --root "$tools" "$name@$version"
    touch "$tools/$name-$version.ready"
  done <<LIST
cargo-auditable 0.7.7
cargo-deb 3.8.0
cargo-cyclonedx 0.5.9
LIST
  rm -rf "$tools/build"
}

case ${1:-} in
  --target) echo "$target"; exit ;;
  --epoch) echo "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"; exit ;;
  --path) echo "$tools/bin"; exit ;;
  --tools) shift; install_tools "$@"; exit ;;
  "") echo "which cargo command? see $0" >&2; exit 2 ;;
esac

# The date that C code may compile in: mimalloc prints it where it is told to be verbose. Not the commit's, with which all C
# code would be compiled anew for each commit.
export SOURCE_DATE_EPOCH=0
sysroot=$(rustc --print sysroot)
separator=$'\x1f' flags="" c_flags=""
# Where the library's sources are installed, the compiler names them by their place on this machine.
for pair in "$sysroot/lib/rustlib/src/rust=/rust" "$cargo_home=/cargo" "${CARGO_TARGET_DIR:-$PWD/target}=/target" "$PWD=/src"; do
  flags+="--remap-path-prefix=$pair$separator"
  c_flags+=$(printf ' -ffile-prefix-map=%q' "$pair")
done
# With --target, these are for the program alone, and not for what runs while it is built.
unset RUSTFLAGS
export CARGO_ENCODED_RUSTFLAGS=${flags%"$separator"}
compiler=musl-gcc package=musl-tools
if [ "${target%%-*}" != "$(uname -m)" ]; then
  compiler=${target%%-*}-linux-gnu-gcc package=gcc-${target%%-*}-linux-gnu
fi
command -v "$compiler" >/dev/null || { echo "needs $compiler: install the package $package" >&2; exit 77; }
if [ "$compiler" != musl-gcc ]; then
  : "${MUSL:?names the headers of musl for $target}"
  c_flags+=$(printf ' -nostdinc -isystem %q -isystem %q' "$MUSL" "$("$compiler" -print-file-name=include)")
  linker=CARGO_TARGET_${target^^}_LINKER
  export "${linker//-/_}=$compiler"
fi
export "CC_${target//-/_}=$compiler"
export "CFLAGS_${target//-/_}=$c_flags"
# So that a directory with a space in its name is one word.
export CC_SHELL_ESCAPED_FLAGS=1
command -v cargo-auditable >/dev/null || { echo "needs cargo-auditable: run $0 --tools" >&2; exit 77; }
exec cargo auditable "$@" --target "$target"
