# SPDX-License-Identifier: Apache-2.0
"""What nginx_test.py asks both servers, and which differences are meant."""

HOST = "Host: localhost\r\n"


def request(target="/hello.txt", fields="", method="GET", version="HTTP/1.1", host=HOST, body=""):
    return f"{method} {target} {version}\r\n{host}{fields}\r\n{body}"


def _by_path():
    paths = {
        "file": "/hello.txt", "empty": "/empty.txt", "index": "/", "dir-index": "/dir/", "sub": "/dir/sub/f.txt",
        "big": "/big.bin", "noext": "/noext", "unknown-type": "/file.unknownext", "json": "/data.json", "svg": "/pic.svg",
        "mjs": "/app.mjs", "space": "/with%20space.txt", "plus": "/a+b.txt", "plus-enc": "/a%2bb.txt", "percent": "/100%25.txt",
        "question": "/q%3Fx.txt", "dots": "/a..b.txt", "utf8": "/%C3%BCn%C3%AF.txt", "well-known": "/.well-known/probe.txt",
        "dot-dir": "/d.ot/x.txt", "query": "/hello.txt?a=b", "query-odd": "/hello.txt?a=%zz&b[]=|", "missing": "/nope",
        "missing-dir": "/nope/", "dir": "/dir", "dir-query": "/dir?a=b", "noindex": "/noindex/", "noindex-bare": "/noindex",
        "escaped": "/h%65llo.txt", "twice": "/with%2520space.txt", "dot-segment": "/./hello.txt",
        "dotdot": "/dir/../hello.txt", "slashes": "//hello.txt", "slashes-dir": "//dir", "above": "/../secret.txt",
        "above-enc": "/%2e%2e/secret.txt", "above-slash-enc": "/..%2fsecret.txt", "backslash-enc": "/..%5csecret.txt",
        "slash-enc": "/dir%2findex.html", "nul": "/hello.txt%00", "nul-html": "/hello.txt%00.html", "cr": "/hello%0d.txt",
        "bad-escape": "/%zz", "short-escape": "/hello.txt%4", "trailing-slash": "/hello.txt/", "trailing-dot": "/hello.txt.",
        "trailing-space": "/hello.txt%20", "below-file": "/hello.txt/x", "case": "/HELLO.TXT", "dotfile": "/.env",
        "dotfile-enc": "/%2eenv", "git": "/.git/config", "link-in": "/link-in.txt", "link-out": "/link-out.txt",
        "link-dir-out": "/linkdir-out/secret.txt", "loop": "/loop1", "long-name": "/" + "a" * 300, "fragment": "/hello.txt#x",
        "variant-itself": "/pre.js.gz", "precompressed": "/pre.js",
    }
    return {f"path-{name}": request(path) for name, path in paths.items()}


def _by_method():
    found = {f"method-{m}": request(method=m, fields="Content-Length: 0\r\n")
             for m in ("HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO", "get")}
    found |= {f"head-{name}": request(path, method="HEAD") for name, path in
              {"index": "/", "missing": "/nope", "dir": "/dir", "big": "/big.bin", "precompressed": "/pre.js"}.items()}
    return found | {"connect": request("localhost:80", method="CONNECT"), "options-star": request("*", method="OPTIONS"),
                    "post-missing": request("/nope", "Content-Length: 0\r\n", "POST")}


def _by_range():
    ranges = {
        "first": "bytes=0-9", "one": "bytes=0-0", "open": "bytes=90-", "suffix": "bytes=-10", "clamp": "bytes=90-1000",
        "whole": "bytes=0-99", "long-suffix": "bytes=-1000", "past": "bytes=100-", "far": "bytes=500-600", "suffix-0": "bytes=-0",
        "reversed": "bytes=5-2", "word": "bytes=alpha", "half-word": "bytes=10-alpha", "no-hyphen": "bytes=10",
        "empty": "bytes=", "unit": "items=0-5", "no-unit": "0-5", "upper": "BYTES=0-9", "two": "bytes=0-1,10-11",
        "three": "bytes=0-9, -10, 10-19", "one-of-two": "bytes=0-9,500-", "some": "bytes=0-9, -10, 100000-, 10-19",
        "none": "bytes=500-600,700-", "total": "bytes=0-10001, 0-0", "overlap": "bytes=0-9,5-14", "huge": "bytes=0-" + "9" * 30,
        "huge-first": "bytes=" + "9" * 30 + "-",
    }
    found = {f"range-{name}": request("/digits.txt", f"Range: {value}\r\n") for name, value in ranges.items()}
    more = {
        "head": request("/digits.txt", "Range: bytes=0-9\r\n", "HEAD"), "missing": request("/nope", "Range: bytes=0-9\r\n"),
        "empty-file": request("/empty.txt", "Range: bytes=0-9\r\n"), "10": request("/digits.txt", "Range: bytes=0-9\r\n", version="HTTP/1.0"),
        "if-tag": request("/digits.txt", "Range: bytes=0-9\r\nIf-Range: %ETAG%\r\n"),
        "if-date": request("/digits.txt", "Range: bytes=0-9\r\nIf-Range: %LM%\r\n"),
        "if-other": request("/digits.txt", 'Range: bytes=0-9\r\nIf-Range: "x"\r\n'),
        "if-weak": request("/digits.txt", "Range: bytes=0-9\r\nIf-Range: W/%ETAG%\r\n"),
        "encoded": request("/pre.js", "Range: bytes=0-1\r\nAccept-Encoding: gzip\r\n"),
    }
    return found | {f"range-{name}": text for name, text in more.items()}


def _by_condition():
    new, old = "Fri, 01 Mar 2024 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"
    conditions = {
        "inm": "If-None-Match: %ETAG%", "inm-weak": "If-None-Match: W/%ETAG%", "inm-list": 'If-None-Match: "a", %ETAG%',
        "inm-star": "If-None-Match: *", "inm-other": 'If-None-Match: "x"', "inm-garbage": "If-None-Match: ,,,",
        "inm-ims": f'If-None-Match: "x"\r\nIf-Modified-Since: %LM%', "ims": "If-Modified-Since: %LM%",
        "ims-later": f"If-Modified-Since: {new}", "ims-earlier": f"If-Modified-Since: {old}",
        "ims-bad": "If-Modified-Since: yesterday", "ims-rfc850": "If-Modified-Since: Tuesday, 02-Jan-24 03:04:05 GMT",
        "ims-asctime": "If-Modified-Since: Tue Jan  2 03:04:05 2024", "im": "If-Match: %ETAG%", "im-weak": "If-Match: W/%ETAG%",
        "im-star": "If-Match: *", "im-other": 'If-Match: "x"', "im-list": 'If-Match: "foo", "bar", \t%ETAG% , "baz"',
        "im-ius": f"If-Match: %ETAG%\r\nIf-Unmodified-Since: {old}", "ius": "If-Unmodified-Since: %LM%",
        "ius-old": f"If-Unmodified-Since: {old}", "ius-bad": "If-Unmodified-Since: yesterday",
        "im-inm": 'If-Match: "x"\r\nIf-None-Match: %ETAG%',
    }
    found = {f"if-{name}": request(fields=text + "\r\n") for name, text in conditions.items()}
    return found | {"if-im-missing": request("/nope", 'If-Match: "x"\r\n'), "if-inm-head": request(fields="If-None-Match: %ETAG%\r\n", method="HEAD")}


def _by_encoding():
    values = {"gzip": "gzip", "upper": "GZIP", "list": "deflate, gzip", "q0": "gzip;q=0", "q0000": "gzip;q=0.000",
              "star": "*", "star-q0": "*;q=0", "substring": "nogzip", "identity": "identity", "br": "br", "zstd": "zstd",
              "prefer-identity": "identity, gzip;q=0.5", "browser": "gzip, deflate, br, zstd"}
    return {f"encoding-{name}": request("/pre.js", f"Accept-Encoding: {value}\r\n") for name, value in values.items()}


def _by_syntax():
    host = {"none": "", "two": HOST + HOST, "empty": "Host:\r\n", "space": "Host: a b\r\n", "slash": "Host: a/b\r\n",
            "at": "Host: u@a\r\n", "port": "Host: a:80\r\n", "bad-port": "Host: a:8x\r\n", "two-ports": "Host: a:80:80\r\n",
            "ipv6": "Host: [::1]\r\n", "unclosed": "Host: [::1\r\n", "upper": "Host: LOCALHOST\r\n", "list": "Host: a, b\r\n",
            "dots": "Host: a..b\r\n", "markup": "Host: <b>\r\n", "number": "Host: 0x7f.1\r\n", "tab": "Host:\tlocalhost\r\n"}
    found = {f"host-{name}": request(host=value) for name, value in host.items()}
    fields = {"space-colon": "X : y\r\n", "fold": "X: y\r\n z\r\n", "no-colon": "garbage\r\n", "empty-name": ": x\r\n",
              "paren": "X(y): z\r\n", "nul": "X: a\0b\r\n", "ctl": "X: a\x01b\r\n", "obs-text": "X: caf\xe9\r\n", "empty-value": "X:\r\n",
              "underscore": "X_Y: z\r\n", "bare-lf": "X: y\nY: z\r\n", "bare-cr": "X: y\rY: z\r\n", "many": "X: y\r\n" * 90}
    found |= {f"field-{name}": request(fields=value) for name, value in fields.items()}
    length = {"plus": "Content-Length: +5\r\n", "list": "Content-Length: 5, 5\r\n", "two": "Content-Length: 5\r\n" * 2,
              "word": "Content-Length: x\r\n", "empty": "Content-Length:\r\n", "te": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
              "identity": "Transfer-Encoding: identity\r\n", "gzip": "Transfer-Encoding: gzip, chunked\r\n",
              "te-two": "Transfer-Encoding: chunked\r\n" * 2, "te-empty": "Transfer-Encoding:\r\n"}
    found |= {f"length-{name}": request(fields=value) for name, value in length.items()}
    chunks = {"fine": "5\r\nhello\r\n0\r\n\r\n", "extension": "5;a=b\r\nhello\r\n0\r\n\r\n", "bare-lf": "5\nhello\r\n0\r\n\r\n",
              "extension-lf": "5;a\nb\r\nhello\r\n0\r\n\r\n", "word": "x\r\n\r\n", "overrun": "4\r\nSEE-THIS\r\n0\r\n\r\n",
              "space": "5 \r\nhello\r\n0\r\n\r\n", "trailer": "5\r\nhello\r\n0\r\nX: y\r\n\r\n"}
    found |= {f"chunk-{name}": request(fields="Transfer-Encoding: chunked\r\n", body=value) for name, value in chunks.items()}
    lines = {"10": "GET /hello.txt HTTP/1.0", "12": "GET /hello.txt HTTP/1.2", "20": "GET /hello.txt HTTP/2.0", "09": "GET /hello.txt HTTP/0.9",
             "no-version": "GET /hello.txt", "two-spaces": "GET  /hello.txt HTTP/1.1", "trailing-space": "GET /hello.txt HTTP/1.1 ",
             "space": "GET /a b HTTP/1.1", "tab": "GET\t/hello.txt HTTP/1.1", "relative": "GET hello.txt HTTP/1.1",
             "star": "GET * HTTP/1.1", "absolute": "GET http://localhost/hello.txt HTTP/1.1", "userinfo": "GET http://u@localhost/hello.txt HTTP/1.1",
             "version": "GET /hello.txt HTTX/1.1", "method": "GE(T /hello.txt HTTP/1.1", "ctl": "GET /\x01 HTTP/1.1",
             "high": "GET /\xe9 HTTP/1.1", "quote": 'GET /" HTTP/1.1', "empty-first": "\r\nGET /hello.txt HTTP/1.1"}
    found |= {f"line-{name}": f"{line}\r\n{HOST}\r\n" for name, line in lines.items()}
    found |= {f"bare-lf-{name}": request().replace("\r\n", "\n", count) for name, count in {"first": 1, "all": -1}.items()}
    connection = {"close": "close", "keep-alive": "keep-alive", "upgrade": "upgrade\r\nUpgrade: foo", "x-close": "x-close",
                  "close-list": "x, close", "close-tab": "\tclose"}
    found |= {f"connection-{name}": request(fields=f"Connection: {value}\r\n") for name, value in connection.items()}
    found |= {f"expect-{name}": request(fields=f"Expect: {value}\r\n") for name, value in
              {"continue": "100-continue", "other": "x"}.items()}
    found["long-target"] = request("/" + "a" * 9000)
    found["long-field"] = request(fields="X: " + "a" * 9000 + "\r\n")
    return found


REQUESTS = _by_path() | _by_method() | _by_range() | _by_condition() | _by_encoding() | _by_syntax()

# (title, names of requests, fields, "nginx's value, ours"): regular expressions but for the fields; the first that fits.
# docs/conformance.md tells each under its title.
EXPLAINED = [
    ("nosniff stands on every answer", ".*", ["x-content-type-options"], " nosniff"),
    ("Text has its charset", ".*", ["content-type"], r"(\S+) \1; charset=utf-8"),
    ("Types are those of the system's list", "path-.*|.*encod.*|head-precompressed", ["content-type"],
     r"application/octet-stream \S+(; charset=utf-8)?|application/javascript text/javascript; charset=utf-8"),
    ("A Location is a path", ".*", ["location"], r"http://localhost(\S+) \1"),
    ("Refusals keep a connection whose framing is not in doubt", "path-.*|line-.*|method-TRACE|host-.*", ["connection"], "close keep-alive"),
    ("Allow stands on every 405", "method-.*", ["allow"], " GET, HEAD, OPTIONS"),
    ("Methods are told apart", "method-(OPTIONS|FOO|get)|connect|options-star|post-missing", ["status"], ".*"),
    ("Dotfiles are not there", "path-(dotfile|dotfile-enc|git)", ["status"], "200 404"),
    ("Symbolic links stay inside the root", "path-link-(out|dir-out)", ["status"], "200 404"),
    ("What is not served is not there", "path-(noindex|loop|above-slash-enc)", ["status"], "40[03] 404"),
    ("An escaped slash is no separator", "path-slash-enc", ["status"], "200 404"),
    ("A fragment is refused", "path-fragment", ["status"], "200 400"),
    ("Preconditions keep the order of RFC 9110", "if-(ims-later|im-ius|ius-bad|inm-ims)", ["status"], ".*"),
    ("Accept-Ranges stands on every answer of a file", "range-.*|encoding-.*", ["accept-ranges"], " bytes"),
    ("A range is of GET, and of the encoding that was chosen", "range-(head|encoded)", ["status"], "206 200|200 206"),
    ("Ranges that nothing satisfies are 416", "range-(empty|empty-file)", ["status"], "200 416"),
    ("Ranges do not overlap, and no bound is too large", "range-(overlap|huge)", ["status"], "206 200|416 206"),
    ("The body of several parts begins with its boundary", "range-(two|three|some)", ["content-length", "body"], ".*"),
    ("Vary stands where there are variants", ".*", ["vary"], " Accept-Encoding"),
    ("An error has the form that Accept asks for", ".*", ["vary"], " Accept"),
    ("Encodings are chosen by their q, zstd and br among them", "encoding-(star|br|zstd|browser|prefer-identity)",
     ["content-encoding", "content-length", "body"], ".*"),
    ("Host is checked", "host-(at|bad-port|two-ports|unclosed|markup|number)", ["status"], "200 400"),
    ("Tabs are white space around values", "host-tab", ["status"], "400 200"),
    ("Fields are checked", "field-(no-colon|paren|ctl)", ["status"], "200 400"),
    ("A line ends with CRLF", "bare-lf-.*|field-bare-lf|chunk-bare-lf", ["status"], "200 400"),
    ("Transfer codings: what is malformed is 400", "length-(identity|te-empty)", ["status"], "501 400"),
    ("No white space in a chunk line", "chunk-space", ["status"], "200 400"),
    ("The request line has one form", "line-(two-spaces|trailing-space)", ["status"], "200 400"),
    ("HTTP/0.9 is not spoken", "line-(09|no-version)", ["status"], "400 505|HTTP/0.9 400"),
    ("The target is ASCII", "line-(high|quote)", ["status"], "404 400"),
    ("Options of Connection are whole words", "connection-x-close", ["connection"], "close keep-alive"),
    ("Expectations are understood", "expect-.*", ["status"], ".*"),
    ("431 for a field that is too long", "long-field", ["status"], "400 431"),
]
