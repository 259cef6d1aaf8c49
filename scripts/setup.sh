#!/usr/bin/env bash
# Sets up what is missing for `run`, `lint` or `test`, and only that. Nothing outside this folder changes, except for
# system packages, which are installed when this is root and otherwise named in one line to run.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:?usage: scripts/setup.sh run|lint|test}
cache=${TWINSEAT_CACHE_DIR:-$PWD/.cache}
uv=$cache/uv/bin/uv
python=.venv/bin/python
mkdir -p "$cache"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
digest() { cat "$@" | git hash-object --stdin; }

# ── System packages ──────────────────────────────────────────────────────────────────────────────

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed$'; }

# The packages of the named lists that are not installed, one name for each line of `a|b`.
missing_packages() {
    local line name found
    grep -hv '^#' "${@/#/scripts/packages/}" | while read -r line; do
        [ -n "$line" ] || continue
        found=
        for name in ${line//|/ }; do installed "$name" && found=1; done
        [ -z "$found" ] || continue
        for name in ${line//|/ }; do
            if [ "$name" = "${line##*|}" ] || [ -n "$(apt-cache show --no-all-versions "$name" 2>/dev/null)" ]; then
                echo "$name"
                break
            fi
        done
    done
}

system_packages() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0 # the window and doctor name what lacks
    [ -z "${TWINSEAT_SKIP_SYSTEM:-}" ] || return 0
    local missing
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        say "Installing system packages: $(echo $missing)"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >&2
        missing=$(missing_packages "$@") # names that a stale list did not know
        apt-get install -y -qq --no-install-recommends $missing >"$cache/apt.log" 2>&1 || {
            tail -n 20 "$cache/apt.log" >&2
            fail "The system packages could not be installed; the reason is above, all of it in $cache/apt.log."
        }
    else
        say "These system packages are needed and not installed. Run this, then try again:"
        say "    sudo apt-get install $(echo $missing)"
        fail "(TWINSEAT_SKIP_SYSTEM=1 goes on without them.)"
    fi
}

# ── uv, Python, the environment ──────────────────────────────────────────────────────────────────

# A python3 from 3.9 on that can really run: a version manager's shim may only print an error here.
any_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

ensure_uv() {
    "$uv" --version >/dev/null 2>&1 && return 0
    say "Installing uv into $cache/uv"
    local base
    if base=$(any_python); then
        rm -rf "$cache/uv"
        if ! "$base" -m venv "$cache/uv" >/dev/null 2>&1; then
            # Debian keeps the venv module's half in a package of its own.
            if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
                apt-get update -qq >&2
                DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
                rm -rf "$cache/uv"
                /usr/bin/python3 -m venv "$cache/uv"
            elif command -v curl >/dev/null; then
                uv_by_curl
                return
            else
                fail "Python's venv module is missing. Run: sudo apt-get install python3-venv"
            fi
        fi
        "$cache/uv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes \
            -r scripts/uv-requirements.txt >&2
    else
        uv_by_curl
    fi
}

uv_by_curl() {
    command -v curl >/dev/null || fail "Neither Python from 3.9 on nor curl is here. Install one of them, then try again."
    local version
    version=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' scripts/uv-requirements.txt)
    rm -rf "$cache/uv"
    # The installer checks the archive against the digest that it carries.
    curl --proto '=https' --tlsv1.2 -LsSf "https://astral.sh/uv/$version/install.sh" |
        env UV_INSTALL_DIR="$cache/uv/bin" UV_NO_MODIFY_PATH=1 sh >&2
}

# Python 3.13: one that is here (pyenv's included), else uv fetches one.
find_python() {
    local wanted found
    wanted=$(cat .python-version)
    for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$wanted"*/bin/python; do
        [ -x "$found" ] && { echo "$found"; return 0; }
    done
    "$uv" python find --no-project --no-python-downloads "$wanted" 2>/dev/null && return 0
    say "Fetching Python $wanted"
    "$uv" python install --no-progress --install-dir "$cache/python" --no-bin "$wanted" >&2 ||
        fail "Python $wanted is not here and could not be fetched. Install it (pyenv install $wanted), then try again."
    UV_PYTHON_INSTALL_DIR=$cache/python "$uv" python find --no-project --no-python-downloads "$wanted"
}

environment() {
    local stamp=.venv/.twinseat wanted base
    wanted=$(digest requirements.lock pyproject.toml .python-version)
    if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ] || ! $python -c 'import app' 2>/dev/null; then
        ensure_uv
        if ! $python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
            base=$(find_python)
            "$uv" venv -q --clear --no-project --python "$base" .venv >&2
        fi
        say "Installing the Python packages of requirements.lock"
        # Compiled now: an agent-server with cold bytecode takes twice as long to start.
        "$uv" pip sync -q --python $python --require-hashes --compile-bytecode requirements.lock >&2
        rm -f .venv/.twinseat-gtk
        "$uv" pip install -q --python $python --no-deps $(no_isolation) -e . >&2
        echo "$wanted" >$stamp
    fi
}

# The build backend is in the lock, by hash; without it uv would fetch whatever is newest.
no_isolation() { $python -c 'import hatchling' 2>/dev/null && echo --no-build-isolation || true; }

# The GTK window's bindings are built from source against the system's library, so only the tests ask for them.
gtk() {
    [ "$(uname)" = Linux ] || return 0
    local stamp=.venv/.twinseat-gtk wanted
    wanted=$(digest scripts/gtk-requirements.txt)
    [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] && return 0
    ensure_uv
    say "Building the GTK bindings"
    "$uv" pip install -q --python $python --require-hashes -r scripts/gtk-requirements.txt >&2
    echo "$wanted" >$stamp
}

# ── All of it ────────────────────────────────────────────────────────────────────────────────────

export UV_CACHE_DIR=${UV_CACHE_DIR:-$cache/uv-cache} UV_LINK_MODE=${UV_LINK_MODE:-hardlink}
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} # an office's own authority is in the system's store
command -v git >/dev/null || [ "$(id -u)" = 0 ] || fail "git is needed and not installed."

case $purpose in
    run) system_packages run.txt $([ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || echo window.txt) ;;
    test) system_packages run.txt window.txt test.txt ;;
    lint) system_packages run.txt ;;
    *) fail "usage: scripts/setup.sh run|lint|test" ;;
esac
environment
case $purpose in
    run | test)
        TWINSEAT_CACHE_DIR=$cache $python -m app.editor.install >/dev/null
        scripts/ui.sh build
        ;;
esac
if [ "$purpose" = test ]; then gtk; fi
