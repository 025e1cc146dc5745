#!/usr/bin/env bash
# Makes the two Debian packages from what is built: packaging/build.sh BIN OUT. Called by `./dev package`.
set -euo pipefail
bin=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# 0.1.0+git20261128.04080ca: grows with the commits' dates. A changed tree says so.
version() {
  local of
  of=$("$bin/ampacity" version | sed 's/.* //')
  printf '%s+git%s' "$of" "$(git log -1 --format=%cd.%h --date=format:%Y%m%d%H%M)"
  git diff --quiet HEAD -- .. || printf '.changed'
}
version=$(version)
architecture=$(dpkg --print-architecture)
date=$(git log -1 --format=%cD)
maintainer="${DEBFULLNAME:-The authors of Ampacity} <${DEBEMAIL:-ampacity@localhost}>"

# put MODE TO FILE…
put() {
  local mode=$1 to=$2
  shift 2
  install -D -m "$mode" -t "$to" "$@"
}

# program ROOT NAME: without its symbols.
program() {
  put 755 "$1/usr/bin" "$bin/$2"
  strip --strip-unneeded "$1/usr/bin/$2"
}

# Which packages hold the libraries that a program asks for.
libraries() {
  mkdir -p "$work/shlibs/debian"
  printf 'Source: ampacity\n\nPackage: ampacity\nArchitecture: any\n' >"$work/shlibs/debian/control"
  (cd "$work/shlibs" && dpkg-shlibdeps -O "$@" 2>/dev/null) | sed 's/^shlibs:Depends=//'
}

# manual ROOT SECTION NAME SHORT COMMAND…: a page of what --help says, for each COMMAND's words.
manual() {
  local root=$1 section=$2 name=$3 short=$4 words
  shift 4
  mkdir -p "$root/usr/share/man/man$section"
  {
    printf '.TH %s %s "%s" "Ampacity %s"\n.SH NAME\n%s \\- %s\n' "${name^^}" "$section" \
      "$(date -u -d "$date" +%F)" "$version" "$name" "$short"
    for words in "" "$@"; do
      if [ -z "$words" ]; then echo ".SH SYNOPSIS"; else printf '.SH %s\n' "${words^^}"; fi
      echo .nf
      # shellcheck disable=SC2086  # a verb may be two words
      COLUMNS=80 "$bin/$name" $words --help | sed 's/\\/\\e/g; s/-/\\-/g; s/^\([.'"'"']\)/\\\&\1/'
      echo .fi
    done
  } | gzip -9n >"$root/usr/share/man/man$section/$name.$section.gz"
}

# The package's own papers, then the package.
pack() {
  local root=$1 name=$2 doc=$1/usr/share/doc/$2
  put 644 "$doc" copyright
  printf '%s (%s) bookworm; urgency=medium\n\n  * Built from the tree at that commit.\n\n -- %s  %s\n' \
    ampacity "$version" "$maintainer" "$date" | gzip -9n >"$doc/changelog.gz"
  (cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z |
    xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) dpkg-deb --root-owner-group -Zxz -z2 --build "$root" \
    "$out/${name}_${version}_$architecture.deb" >/dev/null
}

# control ROOT NAME DEPENDS REST
control() {
  mkdir -p "$1/DEBIAN"
  cat >"$1/DEBIAN/control" <<CONTROL
Package: $2
Source: ampacity
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --exclude=DEBIAN "$1" | cut -f1)
Depends: $3
Section: admin
Priority: optional
$4
CONTROL
}

server() {
  local root=$work/server
  program "$root" ampacityd
  program "$root" ampacity-sim
  put 644 "$root/usr/lib/systemd/system" ampacityd.service
  install -D -m 644 sysusers.conf "$root/usr/lib/sysusers.d/ampacity.conf"
  put 644 "$root/etc/ampacity" ampacityd.yaml
  put 644 "$root/usr/share/doc/ampacity-server" ../docs/operating.md
  put 644 "$root/usr/share/doc/ampacity-server/examples" unprivileged.conf
  manual "$root" 8 ampacityd "the Ampacity server" backup restore
  manual "$root" 1 ampacity-sim "replays traces through Ampacity, and tries it among faults"
  control "$root" ampacity-server "$(libraries "$bin/ampacityd" "$bin/ampacity-sim")" \
    "Recommends: podman, runc, conmon, netavark, aardvark-dns, iptables
Suggests: ampacity, slurm-client, postgresql
Description: control plane that turns machines with GPUs into a cloud
 Rents GPUs by the second: knows what there is, decides who runs where, starts
 and stops the work through podman, docker or Slurm, meters it, and keeps books
 that an auditor can recompute. This package holds the server and its
 simulator."
  echo /etc/ampacity/ampacityd.yaml >"$root/DEBIAN/conffiles"
  put 755 "$root/DEBIAN" postinst prerm postrm
  pack "$root" ampacity-server
}

client() {
  local root=$work/client share=$work/client/usr/share
  program "$root" ampacity
  mkdir -p "$share/bash-completion/completions" "$share/fish/vendor_completions.d" \
    "$share/zsh/vendor-completions"
  "$bin/ampacity" completion bash >"$share/bash-completion/completions/ampacity"
  "$bin/ampacity" completion fish >"$share/fish/vendor_completions.d/ampacity.fish"
  { echo '#compdef ampacity' && "$bin/ampacity" completion zsh; } >"$share/zsh/vendor-completions/_ampacity"
  mapfile -t verbs < <("$bin/ampacity" completion fish |
    sed -n "s/^complete -c ampacity -n __fish_use_subcommand -f -a \([a-z-]*\) .*/\1/p" | grep -v '^sim$')
  manual "$root" 1 ampacity "rent GPUs by the second" "${verbs[@]}"
  control "$root" ampacity "$(libraries "$bin/ampacity")" \
    "Suggests: ampacity-server
Description: command line of the Ampacity GPU cloud
 Offers, quotes, jobs, logs, receipts and invoices of an Ampacity cloud, and
 its operator's verbs, from the command line, with completion for bash, zsh
 and fish."
  pack "$root" ampacity
}

server
client
ls -l "$out"/*"_${version}_$architecture.deb"
