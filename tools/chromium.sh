#!/bin/sh
# Make sure that the browser tests find a Chromium: CHROMIUM, one on the path, or as root Debian's package.
# Without any the tests say so: they fail where CI is set, and are skipped elsewhere.
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update &&
        apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends chromium fonts-noto-cjk >/dev/null
fi
exit 0
