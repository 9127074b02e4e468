#!/bin/sh
# Prints the path of a Chromium: $CHROMIUM, else one on the PATH, else Debian's, installed where that is allowed.
set -eu
if [ -n "${CHROMIUM:-}" ]; then
    [ -x "$CHROMIUM" ] && { echo "$CHROMIUM"; exit 0; }
    echo "CHROMIUM=$CHROMIUM is not a program; name the path of a Chromium." >&2
    exit 1
fi
for name in chromium chromium-browser google-chrome; do
    found=$(command -v "$name" || true)
    [ -n "$found" ] && { echo "$found"; exit 0; }
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-noto-cjk; } >&2
    command -v chromium && exit 0
fi
echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium fonts-noto-cjk) or name one: make test CHROMIUM=path" >&2
exit 1
