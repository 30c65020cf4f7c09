#!/bin/sh
# Makes certificates by which servers prove who they are, and the authority that signs them. Its key signs nothing else
# and is gone afterwards. Where they are there already nothing is done; without the folder they are made anew.
#
#   certificates.sh FOLDER OWNER NAME…
#
# FOLDER has ca.pem, and NAME.pem and NAME.key of each server then; the keys belong to OWNER (a name or a number).
set -eu
folder=$1 owner=$2
shift 2
test ! -e "$folder/ca.pem" || exit 0
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '[req]\ndistinguished_name = name\n[name]\n' > "$work/config"

certify() { # the stem of the files, its name, more options
  stem=$1 name=$2
  shift 2
  openssl req -x509 -config "$work/config" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj "/CN=$name" -keyout "$stem.key" -out "$stem.pem" "$@" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
}

certify "$work/ca" "Recsite, inner network" \
  -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign
for server in "$@"; do
  certify "$folder/$server" "$server" -CA "$work/ca.pem" -CAkey "$work/ca.key" -addext "subjectAltName=DNS:$server" \
    -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=serverAuth
  chmod 0644 "$folder/$server.pem"
  chown "$owner" "$folder/$server.key"
done
chmod 0644 "$work/ca.pem"
cp -p "$work/ca.pem" "$folder/ca.new"
mv "$folder/ca.new" "$folder/ca.pem" # last: with it all are whole
