#!/bin/sh
# Make sure that the tests of the JavaScript clients find Node 20 or later: NODE, one on the path, or as root Debian's.
# Without it the tests say so: they fail where CI is set, and are skipped elsewhere.
for name in "${NODE:-}" node nodejs; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Node for the tests of the JavaScript clients"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update &&
        apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends nodejs npm >/dev/null
fi
exit 0
