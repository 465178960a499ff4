// SPDX-License-Identifier: Apache-2.0
#include "config/reference.h"

#include "config/units.h"
#include "config/value.h"

#include <fmt/format.h>

namespace pronghorn::config {
namespace {

constexpr std::string_view kHead = R"(# Configuration

<!-- Made by `pronghorn config --reference`; a test compares the two. -->

A TOML file. Sizes and durations are text with a unit: `"500B"`, `"32KiB"` (1024), `"1MB"` (1000), `"500ms"`, `"30s"`,
`"2m"`, `"1h"`. Unknown keys are errors. `pronghorn check FILE` finds every mistake and touches nothing;
`pronghorn config` prints the values in force, each with its origin; `pronghorn config --default` prints a file to
begin with. Relative paths begin at the directory in which the server was started.

**Order**: defaults, then the file, then the environment, then the command line; the later wins. A list is replaced,
not extended. In the environment the elements of a list are separated by commas, and an empty variable counts as unset.

**Which file**: `--config FILE`, else `$PRONGHORN_CONFIG`, else, when no directory was named, `./pronghorn.toml`, then
`/etc/pronghorn/pronghorn.toml` (not for programs of your own that use the library).

**Variables**: in text, `${VAR}` is replaced by the environment's variable and must be set; `${VAR:-text}` has a
default; `${VAR:?message}` fails with the message. A literal `${` is written `$${`.

)";

constexpr std::string_view kRoutes = R"(## [types]

Content types by extension, which is written without its dot and has no case. They count before the built-in ones, which
are Debian's (`media-types`); what neither has is `application/octet-stream`. A type stands in answers as it is written
here: give text its `charset`. Only in the file.

```toml
[types]
md = "text/markdown; charset=utf-8"
webmanifest = "application/manifest+json"
```

## [[listeners]]

An address with limits of its own; any number of them. An address that is not in `listen` is added to it; where the file
has no `listen`, these are all. `--listen` and `PRONGHORN_LISTEN` replace the addresses of the file, these as well: then a
table holds only if its address is among them.

| key | type | default | meaning |
|---|---|---|---|
| `address` | address | required | as in `listen` |
| `limits.KEY`, `timeouts.KEY` | as above | what `[limits]` and `[timeouts]` say | any of them but `limits.clients`, `limits.ipv6_prefix`, `limits.ranges` and `limits.offload_queue`, of which there is one for all |

A client's connections and requests are counted apart where `limits.connections_per_client`,
`limits.requests_per_second` or `limits.requests_burst` is the listener's own.

```toml
listen = "0.0.0.0:80"

[[listeners]]
address = "127.0.0.1:9000"
limits.body = "64MiB"
timeouts.keepalive = "2m"
```

## [[routes]]

An answer at a path, beside the files; any number of them.

| key | type | default | meaning |
|---|---|---|---|
| `path` | text | required | begins with `/`; a [pattern](handlers.md#patterns): `/a`, `/users/:id`, `/files/*rest` |
| `handler` | `"text"` or `"echo"` | `"text"` | `"echo"` answers with the request's body |
| `text` | text | required for `"text"` | the body of the answer |
| `limits.body` | size | what `[limits]` or the listener says | the largest request body, decoded |
| `limits.requests_per_second`, `limits.requests_burst` | as above | no limit | of one client to this route, in all workers and from all listeners together, beside what it may ask for in all |

```toml
[[routes]]
path = "/hello"
text = "hello\n"
```

## [[cache_control]], [[headers]], [[redirects]], [[error_pages]], [[rate_limits]]

Rules for the answers of the default site; any number of them. [Sites](site.md) has them with examples. Where a rule has a
`match`, each of its elements is a path (`"/a"`, `"/a/*"`), the end of a file's name (`"*.css"`) or a media type
(`"text/css"`, `"image/*"`), and without it the rule is for all answers.

| key | type | default | meaning |
|---|---|---|---|
| `cache_control.match` | text or array of text | all | |
| `cache_control.value` | text | required | Cache-Control of the files that fit; the first rule counts |
| `headers.match` | text or array of text | all | |
| `headers.remove` | text or array of text | none | fields to take away |
| `headers.set` | table of text | none | fields in place of those of that name |
| `headers.add` | table of text | none | fields beside those of that name |
| `redirects.from` | text | required | a path, or `"/old/*"` |
| `redirects.to` | text | required | a path or a URL; `*` at its end is what that of `from` stood for |
| `redirects.status` | 301, 302, 303, 307 or 308 | 301 | |
| `error_pages.status` | number or array of numbers | required | 400 to 599 |
| `error_pages.file` | text | required | below the root |
| `rate_limits.match` | text or array of text | all | paths and ends of names, no media types |
| `rate_limits.requests_per_second` | number | required | of one client to the files that fit, in all workers together; 0: no limit; the first rule counts |
| `rate_limits.requests_burst` | number | a second's | that a client may save up |

## [[hosts]]

A site of its own for the requests that name it in Host; at most 256. It takes nothing over from the top level.

| key | type | default | meaning |
|---|---|---|---|
| `names` | text or array of text | required | `"example.org"`, or `"*.example.org"` for all names below; without port |
| `root`, `index`, `listing`, `fallback` | as at the top level | as there | |
| `cache_control`, `headers`, `redirects`, `error_pages`, `rate_limits` | tables | none | `[[hosts.headers]]` … |

```toml
[[hosts]]
names = ["example.org", "www.example.org"]
root = "/srv/example"
```

## [[programs]]

A program that runs as workers of this server, beside its own; any number of them. What it listens on goes through the
master: an address of `listen` it shares with our own workers, one on which another program listens with that; any other is
its own. Port 0 counts as an address: give each program a port.

| key | type | default | meaning |
|---|---|---|---|
| `name` | text | the file's name | how the log and `pronghorn status` call it |
| `file` | text | required | a Node script (`.js`, `.cjs`, `.mjs`), or an executable that speaks Node's channel |
| `args` | array of text | none | its arguments |
| `node` | text | `"node"` | what runs a script, found on the PATH; given, the file is a script whatever its name |
| `workers` | whole number or `"auto"` | `"auto"` | how many; `"auto"` as for our own |

```toml
[[programs]]
file = "app.js"
args = ["--port", "3000"]
workers = 2
```
)";

std::string amount(const Key& key, std::uint64_t number) {
  if (key.type == Type::size) return fmt::format("`\"{}\"`", format_size(number));
  if (key.type == Type::duration) {
    return fmt::format("`\"{}\"`", format_duration(std::chrono::milliseconds(number)));
  }
  return fmt::format("`{}`", number);
}

std::string type_text(const Key& key) {
  const auto range = [&](std::string_view name) {
    const std::string zero =
        key.zero.empty() ? std::string() : fmt::format(", or `\"{}\"`", key.zero);
    return fmt::format("{}, {} to {}{}", name, amount(key, key.min), amount(key, key.max), zero);
  };
  switch (key.type) {
    case Type::size:
      return range("size");
    case Type::count:
      return range("whole number");
    case Type::duration:
      return range("duration");
    case Type::path:
      return "text";
    case Type::choice:
      return fmt::format("one of `\"{}\"`", fmt::join(key.words(), "\"`, `\""));
    case Type::flag:
      return "`true` or `false`";
    case Type::file_names:
    case Type::media_types:
      return "text or array of text";
    case Type::addresses:
      return "address or array of addresses";
  }
  return {};
}

}  // namespace

std::string reference() {
  const Config standard;
  std::string result(kHead);
  std::string_view section;
  for (const Key& key : schema()) {
    if (key.section() != section) {
      section = key.section();
      result += fmt::format("## [{}]\n\n", section);
    }
    result += fmt::format("### {}\n\n{}\n\n", key.name, key.doc);
    result +=
        fmt::format("- Type: {}\n- Default: `{}`\n- Environment: `{}`\n- Example: `{} = {}`\n\n",
                    type_text(key), value_to_toml(key, key.read(standard)), key.environment_name(),
                    key.name, key.example);
  }
  return result + std::string(kRoutes);
}

}  // namespace pronghorn::config
