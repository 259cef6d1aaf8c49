#!/usr/bin/env bash
# The long version: every test with full counts, then every benchmark. Writes docs/qualification/<date>.md and .json.
set -uo pipefail
cd "$(dirname "$0")/.."

day=$(date -u +%F)
out=docs/qualification/$day
mkdir -p docs/qualification .cache
log=.cache/qualify.log

scripts/ui.sh test || exit 1
# Alone: what is measured must not share the machine with the tests.
TWINSEAT_CI=1 TWINSEAT_QUALIFY=1 .venv/bin/python -m pytest -q -n "${WORKERS:-2}" --dist loadfile -rs --durations=10 \
    --timeout=3600 2>&1 | tee "$log"
tests=${PIPESTATUS[0]}
.venv/bin/python -m tests.bench >"$out.json"
bench=$?
.venv/bin/python -m tests.bench.report "$out.json" "$log" >"$out.md"
echo "Written: $out.md and $out.json" >&2
exit $((tests || bench))
