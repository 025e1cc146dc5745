#!/usr/bin/env bash
# Builds one of the example images as a root file system: build.sh NAME [OUTDIR] -> OUTDIR/NAME.tar
# (for `podman import`). Cached: nothing happens while OUTDIR/NAME.tar.stamp still names its inputs;
# `build.sh --is-current NAME [OUTDIR]` only asks.
#
#   tiny   busybox and the C library of this host: shell, nc, wget, working DNS; /opt/gang/gang.sh
#   train  Python, numpy, the handwritten digits that ship in python3-sklearn, and
#          /opt/train/train.py; from Debian's packages, by this host's own apt sources
#
# Needs no root: mmdebstrap falls back to user namespaces. The same inputs give the same bytes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ask=no
[ "${1:-}" != --is-current ] || { ask=yes; shift; }
name=${1:?usage: build.sh NAME [OUTDIR]   (NAME: tiny, train)}
out=${2:-$here/../../build/images}
export SOURCE_DATE_EPOCH=1690000000 LC_ALL=C

# ---- tiny -------------------------------------------------------------------------------------

busybox=$(command -v busybox || true)

libraries() { ldd "$busybox" | grep -o '/[^ ]*'; }  # busybox's own closure, loader included

# shellcheck disable=SC2046  # one word a library
tiny_inputs() { sha256sum "$busybox" $(libraries) "$here/../gang/gang.sh" | cut -c1-64; }

tiny_build() {
  local root=$1/root file applet
  libraries >/dev/null || { echo "tiny: a static busybox cannot look up names" >&2; return 1; }
  mkdir -p "$root"/{bin,etc,proc,sys,dev,run,root,var/tmp,data} "$root/tmp"
  chmod 1777 "$root/tmp" "$root/var/tmp" "$root/data"
  ln -s bin "$root/sbin"
  cp "$busybox" "$root/bin/busybox"
  for file in $(libraries); do
    mkdir -p "$root$(dirname "$file")"
    cp -L "$file" "$root$file"
  done
  for applet in $(busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  install -D -m 755 "$here/../gang/gang.sh" "$root/opt/gang/gang.sh"
  write_etc "$root"
  tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner \
    -C "$root" -cf "$1/image.tar" .
}

write_etc() {
  printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/sh >"$1/etc/passwd"
  printf '%s\n' root:x:0: nogroup:x:65534: >"$1/etc/group"
  printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$1/etc/nsswitch.conf"
}

# ---- train ------------------------------------------------------------------------------------

suite() { (. /etc/os-release && echo "$VERSION_CODENAME"); }

train_inputs() {
  suite
  sha256sum <"$here/../train/train.py"
}

# Only unpacked, not configured. Of python3-sklearn only the data set is taken: with all it depends
# on (g++ and boost among it) the image would be 750 MB instead of 93.
train_build() {
  local sources
  mapfile -t sources < <(grep -lw "$(suite)" /etc/apt/sources.list \
    /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null)
  apt-config dump 2>/dev/null | grep -i '::proxy' >"$1/proxy.conf" || true
  mmdebstrap --variant=extract --include=base-files,busybox,python3-numpy \
    --aptopt="$1/proxy.conf" \
    --setup-hook='/usr/share/mmdebstrap/hooks/merged-usr/setup00.sh "$1" >/dev/null' \
    --extract-hook="'$here/build.sh' --furnish \"\$1\"" \
    --skip=output/dev --format=tar \
    "$(suite)" "$1/image.tar" "${sources[@]}"
  tar --delete -f "$1/image.tar" ./etc/apt ./var/{lib,cache}/apt  # they name the mirrors
}

# Runs inside mmdebstrap, as (seeming) root: what the packages' own scripts would have done, the
# data set, the program; then everything a running job does not need goes.
train_furnish() {
  local root=$1 blas applet data=usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz
  for blas in "$root"/usr/lib/*/blas/libblas.so.3 "$root"/usr/lib/*/lapack/liblapack.so.3; do
    ln -sfn "$(basename "$(dirname "$blas")")/$(basename "$blas")" \
      "$(dirname "$(dirname "$blas")")/$(basename "$blas")"
  done
  for applet in $(chroot "$root" /bin/busybox --list); do
    [ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
  done
  (cd "$root/tmp" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq download python3-sklearn)
  install -d -m 1777 "$root/data"
  mkdir -p "$root/opt/train"
  dpkg-deb --fsys-tarfile "$root"/tmp/python3-sklearn_*.deb | tar -xO "./$data" \
    >"$root/opt/train/digits.csv.gz"
  install -m 755 "$here/../train/train.py" "$root/opt/train/train.py"
  write_etc "$root"
  # Not all of tmp: mmdebstrap keeps its apt.conf there, and without it would clean up the host's
  # own apt lists instead.
  (cd "$root" && rm -rf tmp/python3-sklearn_*.deb usr/include var/log/* \
    usr/share/{doc,info,locale,man,lintian,zoneinfo} \
    usr/lib/*/{gconv,perl*,*.a} usr/lib/python3*/{test,idlelib,lib2to3,ensurepip,config-*} \
    usr/lib/python3/dist-packages/numpy/{f2py,*/tests,tests,core/include,core/lib})
  chroot "$root" python3 -m compileall -q --invalidation-mode unchecked-hash \
    /usr/lib/python3 "/usr/lib/$(chroot "$root" readlink /usr/bin/python3)"
}

# ---- door -------------------------------------------------------------------------------------

if [ "$name" = --furnish ]; then
  train_furnish "$2"
  exit
fi
case $name in tiny | train) ;; *) echo "no image '$name': tiny or train" >&2; exit 2 ;; esac

mkdir -p "$out"
stamp=$({ sha256sum <"${BASH_SOURCE[0]}"; "${name}_inputs"; } | sha256sum | cut -c1-64)
if [ -e "$out/$name.tar" ] && [ "$(cat "$out/$name.tar.stamp" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi
[ "$ask" = no ] || exit 1
work=$(mktemp -d "$out/.$name.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
"${name}_build" "$work"
mv "$work/image.tar" "$out/$name.tar"
echo "$stamp" >"$out/$name.tar.stamp"
