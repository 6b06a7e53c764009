# Shared by the scripts: says what is done, and gets what is missing. Sourced with the repository as working directory.

# phase TEXT: begins a part of the work, and closes the one before with its time.
phase_name=''
phase_table=''
phase() {
    if [[ -n "$phase_name" ]]; then
        phase_table+=$(printf '%5d s  %s' "$((SECONDS - phase_start))" "$phase_name")$'\n'
    fi
    phase_name=$1
    phase_start=$SECONDS
    if [[ -n "$phase_name" ]]; then printf '\n== %s\n' "$phase_name"; fi
}

# phases: the times of all parts.
phases() {
    phase ''
    printf '\n== time\n%s%5d s  in all\n' "$phase_table" "$SECONDS"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# as_root COMMAND...: runs it as root.
as_root() {
    if [[ "$(id -u)" == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "this needs root, and there is no sudo: $*"
    fi
}

# install_missing NAME...: installs the packages of the programs and libraries that this machine lacks. A name is
# `program` (its package is called the same), `program:package`, or `lib=pkg-config-name:package`.
install_missing() {
    local name wanted package missing=()
    for name in "$@"; do
        wanted=${name%%:*}
        package=${name##*:}
        case $wanted in
            lib=*) pkg-config --exists "${wanted#lib=}" 2>/dev/null || missing+=("$package") ;;
            *) PATH=$PATH:/usr/sbin:/sbin command -v "$wanted" >/dev/null || missing+=("$package") ;;
        esac
    done
    if [[ ${#missing[@]} == 0 ]]; then
        echo 'nothing is missing'
        return
    fi
    command -v apt-get >/dev/null || die "please install: ${missing[*]} (names of Debian's packages)"
    echo "installing ${missing[*]}"
    as_root apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
}

# find_swift: Swift 6.2 or newer is in the PATH afterwards. sudo takes it away, so the usual places are looked at too.
find_swift() {
    local place version
    if ! command -v swift >/dev/null; then
        for place in "/home/${SUDO_USER:-}/.local/share/swiftly/bin" "$HOME/.local/share/swiftly/bin" /opt/swift/usr/bin \
            /opt/swift/bin /usr/local/swift/usr/bin /usr/libexec/swift/*/bin; do
            if [[ -x "$place/swift" ]]; then
                PATH=$place:$PATH
                break
            fi
        done
    fi
    command -v swift >/dev/null || die 'Swift is missing: https://www.swift.org/install/linux/ (6.2 or newer)'
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -1)
    [[ "$(printf '6.2\n%s\n' "$version" | sort -V | head -1)" == 6.2 ]] || die "Swift $version is too old: 6.2 or newer is needed"
    echo "Swift $version"
}

# need_fuse: this user can mount.
need_fuse() {
    [[ -e /dev/fuse ]] || as_root modprobe fuse 2>/dev/null || true
    [[ -e /dev/fuse ]] || die 'there is no /dev/fuse: the kernel (or the container) does not let anybody mount with FUSE'
}

# give_back: what `sudo` has built belongs to the one who called it.
give_back() {
    if [[ "$(id -u)" == 0 && -n "${SUDO_UID:-}" && "$SUDO_UID" != 0 ]]; then
        chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" .build Package.resolved 2>/dev/null || true
    fi
}
