# Shared by the scripts, which source it. Sets `root`, the top of the tree.
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { echo "==> $*" >&2; }
die() { echo "${0##*/}: $*" >&2; exit 1; }

# packages_of STAGE...: what scripts/packages.txt lists for these stages.
packages_of() {
  local stage
  for stage in "$@"; do
    awk -v stage="$stage" '$1 == stage { print $2; found = 1 } END { exit !found }' "$root/scripts/packages.txt" ||
      die "scripts/packages.txt has no stage '$stage'; it has: $(awk '!/^#/ && NF { print $1 }' "$root/scripts/packages.txt" | sort -u | xargs)"
  done
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# install_stages STAGE...: installs those of the stages' packages that are missing, and touches nothing when none is.
install_stages() {
  local wanted missing
  wanted=$(packages_of "$@") || exit 1
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "this is no Debian. Install what these Debian 12 packages hold, then build with CMake (see README.md):" $wanted
  missing=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' |
    awk -v wanted="${wanted//$'\n'/ }" '$1 == "installed" { has[$2] = 1 }
      END { n = split(wanted, names, " "); for (i = 1; i <= n; ++i) if (!has[names[i]]) print names[i] }')
  [[ $missing ]] || return 0
  if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
    die "these packages are missing, and installing them takes root or sudo. As root: apt-get install" $missing
  fi
  say "installing from Debian:" $missing
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2 ||
    die "apt-get could not install them; its message stands above"
}

# build_jobs: how many compilers at once: one a core, but each may need 1.5 GiB, also of a container's limit.
build_jobs() {
  local cores kib limit
  cores=$(nproc)
  kib=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit != max ]] && ((limit / 1024 < kib)); then kib=$((limit / 1024)); fi
  local by_memory=$((kib / (3 * 512 * 1024)))
  ((by_memory < 1)) && by_memory=1
  echo $((by_memory < cores ? by_memory : cores))
}

# build PRESET [TARGET...]: configures and builds. SEGUE_ARCH is -march=: native, unless set in the environment.
build() {
  local preset=$1 log
  shift
  log=$(cmake --preset "$preset" -DSEGUE_ARCH="${SEGUE_ARCH:-native}" 2>&1) || { echo "$log" >&2; return 1; }
  cmake --build --preset "$preset" --parallel "$(build_jobs)" ${1:+--target "$@"}
}
