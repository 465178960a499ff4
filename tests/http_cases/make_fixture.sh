#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_fixture.sh DIR : builds DIR/www (the document root) and DIR/www-secret (a sibling that must never be served)
set -eu
D=${1:?dir}; rm -rf "$D/www" "$D/www-secret"; mkdir -p "$D/www/dir/sub" "$D/www/noindex" "$D/www/.git" "$D/www/.well-known" "$D/www/d.ot" "$D/www-secret"
cd "$D/www"
printf '<!doctype html><title>index</title>INDEX-PAGE\n' > index.html
printf 'Hello, world!\n' > hello.txt                       # 14 bytes
python3 - <<'P'
open('range.bin','wb').write(bytes((i*7+i//256)%256 for i in range(1000)))      # 1000 bytes
open('digits.txt','w').write('0123456789'*10)                                     # 100 bytes
open('big.bin','wb').write(bytes(range(256))*4096)                                # 1 MiB
open('\u00fcn\u00ef.txt','w').write('unicode name\n')
P
: > empty.txt
printf '<!doctype html><title>dir</title>DIR-INDEX\n' > dir/index.html
printf 'sub file\n' > dir/sub/f.txt
printf 'no index here\n' > noindex/file.txt
printf 'TOP-SECRET dotfile\n' > .env
printf 'TOP-SECRET dotfile\n' > .htpasswd
printf 'TOP-SECRET git\n' > .git/config
printf 'acme\n' > .well-known/probe.txt
printf 'dotdir\n' > d.ot/x.txt
printf 'space name\n' > 'with space.txt'
printf 'plus name\n' > 'a+b.txt'
printf 'percent name\n' > '100%.txt'
printf 'query name\n' > 'q?x.txt'
printf 'two dots\n' > 'a..b.txt'
printf '{"k":1}\n' > data.json
printf 'console.log(1)\n' > app.mjs
printf '<svg xmlns="http://www.w3.org/2000/svg"/>\n' > pic.svg
printf 'unknown type\n' > file.unknownext
printf 'noext\n' > noext
# precompressed variants
python3 - <<'P'
import gzip
body=b'/* precompressed */ ' + b'x'*2000 + b'\n'
open('pre.js','wb').write(body)
open('pre.js.gz','wb').write(gzip.compress(body,mtime=0))
P
# a marker .br/.zst is enough to see which file was chosen (clients here never decode it)
(command -v brotli >/dev/null && brotli -kf pre.js) || printf 'BR-MARKER' > pre.js.br
(command -v zstd >/dev/null && zstd -qf pre.js -o pre.js.zst) || printf 'ZSTD-MARKER' > pre.js.zst
printf 'TOP-SECRET outside\n' > "$D/www-secret/secret.txt"
printf 'TOP-SECRET outside\n' > "$D/secret.txt"
ln -s "$D/www-secret/secret.txt" link-out.txt
ln -s "$D/www-secret" linkdir-out
ln -s hello.txt link-in.txt
ln -s loop2 loop1; ln -s loop1 loop2
mkfifo fifo 2>/dev/null || true
touch -d '2024-01-02 03:04:05 UTC' hello.txt range.bin digits.txt index.html dir/index.html big.bin pre.js pre.js.gz pre.js.br pre.js.zst empty.txt
