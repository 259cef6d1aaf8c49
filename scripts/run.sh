#!/usr/bin/env bash
# Opens the window. Root is sent to the browser: Chromium's sandbox, which Qt uses, refuses to work for root.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" = 0 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] &&
    [[ "${QTWEBENGINE_CHROMIUM_FLAGS:-}" != *--no-sandbox* ]]; then
    echo "This is root, for whom Qt's web engine has no sandbox, so there is no window. Run \`make run\` as an ordinary" >&2
    echo "user for one; here the cockpit is served to a browser." >&2
    exec .venv/bin/twinseat serve "$@"
fi
exec .venv/bin/twinseat "$@"
