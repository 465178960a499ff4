# SPDX-License-Identifier: Apache-2.0
"""The cases: what must be seen in both runs, in which order, and where ours differs from Node's on purpose."""
from case import Case, Difference
from cases_cluster import CASES as CLUSTER_CASES

GRACE = "A timeout ends in SIGKILL"
CLOSE = "close always comes"
CWD = "A missing working directory is named"
ABORT = "An aborted exec honours kill_signal"
BYTES = "max_buffer counts bytes"
SYNC_CUT = "The synchronous forms cut at max_buffer"
SOCKETS = "Standard output and error are pipes"
UNUSED = "An ignored descriptor is /dev/null"
KILL_0 = "kill(0) does not set killed"
ADVANCED = "serialization is json"
SHELL = "A shell takes one command"
BUFFER = "Output is bytes"
UNREAD = "Input that nobody reads is no error"
INPUT = "Any descriptor of a synchronous child takes input"
RESERVED = "A message for the cluster is refused"

CASES = {
    "cp-spawn-event": Case([
        "good: returned < spawn < exit 0 < close 0",
        "bad: returned < error ENOENT < close -2"]),
    "cp-spawn-error": Case([
        'missing: fact pid=null < error ENOENT "spawn no-such-program-4711" "no-such-program-4711" ["first", "second"] -2'
        " < close -2 < fact exit_code=-2",
        "missing: fact streams=true",
        "missing-path: error ENOENT < close -2",
        'no-program: error EACCES "spawn /etc/passwd" "/etc/passwd" ["first"] -13 < close -13',
        "below-a-file: refused ENOTDIR",
        "too-long: refused E2BIG"]),
    "cp-spawn-typeerror": Case([
        "empty-file: refused ERR_INVALID_ARG_VALUE",
        "nul-in-file: refused ERR_INVALID_ARG_VALUE",
        "nul-in-args: refused ERR_INVALID_ARG_VALUE",
        "nul-in-env: refused ERR_INVALID_ARG_VALUE",
        "negative-timeout: refused ERR_OUT_OF_RANGE",
        "unknown-signal: refused ERR_UNKNOWN_SIGNAL",
        "two-channels: refused ERR_IPC_ONE_PIPE",
        "fork-without-channel: refused ERR_CHILD_PROCESS_IPC_REQUIRED",
        "channel-in-sync: refused ERR_IPC_SYNC_FORK",
        "file: spawn < exit 0 < close 0",
        "args: spawn < exit 3 < close 3",
        "no-args: close 0",
        "options: close 0"], [
        Difference(ADVANCED, ["advanced: accepted"], ["advanced: refused"]),
        Difference(SHELL, ["args-beside-shell: accepted"], ["args-beside-shell: refused ERR_INVALID_ARG_VALUE"])]),
    "cp-spawn-argv0": Case([
        'default: fact spawnargs=["sh", 3] < out "sh\\n" < close 0',
        'given: fact spawnargs=["another", 3] < out "another\\n" < close 0',
        'given: fact spawnfile="sh"']),
    "cp-spawn-shell": Case([
        'command: fact spawnfile="/bin/sh" < fact spawnargs=["/bin/sh", "-c", "echo foo"] < out "foo\\n" < close 0',
        'pipe: out "bar\\n" < close 0',
        "missing: exit 127 < close 127",
        'env: out "buzz\\n" < close 0',
        'other-shell: fact spawnfile="/bin/bash" < out "/bin/bash\\n" < close 0']),
    "cp-spawn-controller": Case([
        "during: error ABORT_ERR < exit SIGTERM < close SIGTERM",
        "during: fact killed=true",
        "kill-signal: error ABORT_ERR < exit SIGKILL < close SIGKILL",
        "before: spawn < exit SIGTERM < close SIGTERM",
        "before: error ABORT_ERR < exit SIGTERM",
        "after: exit 0 < close 0",
        "after: fact killed=false"]),
    "cp-spawn-timeout-kill-signal": Case([
        "default: exit SIGTERM < close SIGTERM < fact killed=true",
        "kill: exit SIGKILL < close SIGKILL < fact killed=true",
        "by-number: exit SIGHUP < close SIGHUP",
        "in-time: exit 0 < close 0 < fact killed=false"], [
        Difference(GRACE, [], ["escalates: spawn", "escalates: exit SIGKILL", "escalates: close SIGKILL"])]),
    "cp-cwd": Case([
        'given: out "/dev\\n" < close 0',
        'inherited: out "<folder>\\n" < close 0',
        "missing: fact pid=null < error ENOENT < close -2"], [
        Difference(CWD, ["missing: fact named=false"], ["missing: fact named=true"])]),
    "cp-env": Case([
        'inherited: out "WORLD unset unset\\n" < close 0',
        'replaced: out "unset there unset\\n" < close 0',
        'changed: out "changed unset \\n" < close 0',
        'undefined: out "unset there unset\\n" < close 0',
        'none: out "unset unset unset\\n" < close 0',
        "path: error ENOENT < close -2"]),
    "cp-default-options": Case([
        'empty: out "WORLD set\\n" < close 0',
        'left-out: out "WORLD set\\n" < close 0']),
    "cp-exit-code": Case([
        chain for code in (0, 1, 23, 42, 255) for chain in (
            f"exit-{code}: fact before=[null, null] < spawn < exit {code} < close {code} < fact after=[{code}, null]",)]),
    "cp-kill": Case([
        "cat: fact killed-before=false < fact kill=true < fact killed-after=true < spawn < exit SIGTERM < close SIGTERM"
        " < fact kill-when-gone=false",
        "cat: fact signal=[null, 15]",
        "unknown: refused ERR_UNKNOWN_SIGNAL",
        "other: fact kill-0=true < fact kill-by-name=true < exit SIGKILL",
        "trap: fact killed=true < exit 9 < close 9",
        'trap: out "ready\\ntrapped\\n" < close 9',
        'family: exit SIGTERM < out "ready\\nalive" < close SIGTERM'], [
        Difference(KILL_0, ["other: fact killed-by-0=true"], ["other: fact killed-by-0=false"])]),
    "cp-detached": Case([
        'leader: out "group\\nsession\\n" < close 0',
        "member: exit 0 < close 0",
        "survivor: survived"]),
    "cp-stdio": Case([
        "default: fact pipes=[true, true, true] < close 0",
        'default: out "out\\n" < close 0',
        'default: err "err\\n" < close 0',
        "ignore: fact pipes=[false, false, false] < close 0",
        "padded: fact pipes=[false, true, true] < close 0",
        "null: fact pipes=[true, false, true] < close 0",
        'negative: fact pipes=[true, true, true] < err "err\\n" < close 0',
        "ignored-4: fact pipes=[false, true, true, false, true] < close 0",
        'ignored-4: fact fd-4="four\\n" < close 0',
        'both-ways: fact fd-3="got hello\\n" < close 0',
        "to-descriptor: ours",
        "not-open: refused EBADF",
        'reader: out "through\\n" < close 0',
        "writer: exit 0 < close 0"], [
        Difference(UNUSED, ["ignored-4: err"]),
        Difference(SOCKETS, ["by-name: exit 2", "by-name: close 2"],
                   ["by-name: exit 0", "by-name: close 0", 'by-name: out "hi\\n"'])]),
    "cp-stdio-inherit": Case(['middle: spawn < out "through the middle" < close 0']),
    "cp-stdin": Case([
        "cat: fact writable=[true, false]",
        "cat: written < close 0",
        "cat: finish < close 0",
        'cat: out "hello world!\\n" < close 0',
        'deaf: out "closed\\n" < close 0',
        'deaf: in-error code="EPIPE" < in-close < exit 0 < close 0'], [
        Difference(SOCKETS, ["cat: fact readable=[true, true]"], ["cat: fact readable=[false, true]"])]),
    "cp-double-pipe": Case([
        "echo: exit 0 < close 0", "grep: exit 0 < close 0",
        'sed: out "hellO\\nnOde\\nwOrld\\n" < out-end < close 0']),
    "cp-flush-stdio": Case([f"{name}: spawn < exit 0 < close 0" for name in ("little", "much", "read")]),
    "cp-exec-error": Case([
        "shell: spawn < exit 127 < callback < close 127",
        "file: callback < fact call < close -2",
        'file: fact call=[-2, "spawn no-such-command-4711", "no-such-command-4711", ["x"]]',
        "file: error ENOENT < close -2",
        "failing: exit 5 < callback < close 5",
        'failing: fact text="Command failed: echo some; echo why >&2; exit 5\\nwhy\\n"',
        "signal: exit SIGKILL < callback < close SIGKILL",
        "good: exit 0 < callback < close 0"]),
    "cp-exec-cwd": Case([
        "given: spawn < exit 0 < callback < close 0",
        "inherited: spawn < exit 0 < callback < close 0"]),
    "cp-exec-encoding": Case([
        'utf8: fact bytes=["6772c3bc6e", "c3a4"]',
        'utf8-broken: fact bytes=["61efbfbd62efbfbd", ""]',
        'buffer: fact bytes=["61ff62c3", ""]'], [
        Difference(BUFFER, ['default: fact bytes=["61efbfbd62", ""]'], ['default: fact bytes=["61ff62", ""]'])]),
    "cp-exec-maxbuf": Case([
        'default-exact: fact told=["", 1048576, 0]',
        'default-over: fact told=["ERR_CHILD_PROCESS_STDIO_MAXBUFFER", 1048576, 0]',
        'exact: fact told=["", 8, 0]',
        'over: fact told=["ERR_CHILD_PROCESS_STDIO_MAXBUFFER", 8, 0]',
        'over-stderr: fact told=["ERR_CHILD_PROCESS_STDIO_MAXBUFFER", 0, 8]',
        'each-stream: fact told=["", 4, 4]',
        'unlimited: fact told=["", 3000000, 0]'], [
        Difference(BYTES, ['characters: fact told=["ERR_CHILD_PROCESS_STDIO_MAXBUFFER", 6]'],
                   ['characters: fact told=["ERR_CHILD_PROCESS_STDIO_MAXBUFFER", 3]'])]),
    "cp-exec-timeout-expire": Case([
        "late: spawn < exit SIGTERM < callback < close SIGTERM",
        'late: callback code=null err="" error="failed" killed=true out="partial\\n" signal="SIGTERM"',
        "in-time: exit 0 < callback < close 0",
        "grandchild: exit SIGTERM < callback < close SIGTERM"]),
    "cp-exec-timeout-kill": Case([
        "trap: spawn < exit SIGKILL < callback < close SIGKILL",
        'trap: callback code=null err="" error="failed" killed=true out="ready\\n" signal="SIGKILL"']),
    "cp-execfile": Case([
        "good: exit 0 < callback < close 0",
        'good: callback code=null err="" error="" killed=false out="a  b $HOME *\\n"',
        'code: exit 42 < callback code=42 err="" error="failed" < close 42',
        "signal: exit SIGTERM < callback < close SIGTERM",
        'shell: callback code=null err="" error="" killed=false out="42\\n"',
        "abort: callback < close SIGTERM",
        "abort: error ABORT_ERR < close SIGTERM",
        "abort-kill-signal: callback < close"], [
        Difference(ABORT, ["abort-kill-signal: exit SIGTERM", "abort-kill-signal: close SIGTERM",
                           'abort: callback code=null err="" error="ABORT_ERR" killed=false',
                           'abort-kill-signal: callback code=null err="" error="ABORT_ERR" killed=false'],
                   ["abort-kill-signal: exit SIGKILL", "abort-kill-signal: close SIGKILL",
                    'abort: callback code=null err="" error="ABORT_ERR" killed=true',
                    'abort-kill-signal: callback code=null err="" error="ABORT_ERR" killed=true'])]),
    "cp-spawnsync": Case([
        'code: sync code=3 err="err\\n" error=null out="out\\n"',
        'code: fact shape=[true, 3, null, "out\\n", "err\\n"]',
        'signal: sync code=null err="" error=null out="" signal="SIGTERM"',
        "missing: sync",
        'cwd: sync code=0 err="" error=null out="/dev\\n"',
        'shell: sync code=0 err="" error=null out="42\\n"',
        'exact: sync code=0 err="" error=null out="12345678"',
        'exec: fact returned="fine\\n"',
        'exec-code: failed code="" err="why\\n" out="some\\n" signal="" status=5',
        'exec-signal: failed code="" err="" out="" signal="SIGKILL" status=null',
        'file: fact returned="a  b\\n"',
        'file-missing: failed code="ENOENT"'], [
        Difference(SYNC_CUT, ['over: fact cut=["ENOBUFS", false]'], ['over: fact cut=["ENOBUFS", true]'])]),
    "cp-spawnsync-input": Case([
        'string: sync code=0 err="" error=null out="some text"',
        'to-stderr: sync code=0 err="aside" error=null out=""',
        'empty: sync code=0 err="" error=null out=""',
        "large: fact length=1048576",
        'exec: fact returned="in"',
        'file: fact returned="in"'], [
        Difference(INPUT, [], ['by-descriptor: sync code=0 err="" error=null out="third"']),
        Difference(UNREAD, ['unread: sync code=0 err="" error={"code": "EPIPE"'],
                   ['unread: sync code=0 err="" error=null'])]),
    "cp-spawnsync-timeout": Case([
        "late: sync",
        "kill: sync",
        'in-time: sync code=0 err="" error=null out="whole\\n"',
        'exec: failed code="ETIMEDOUT" signal="SIGTERM" status=null']),
    "cp-fork": Case([
        'echo: spawn < message {"hello": "world"} < message "text" < message 42 < message true < message null'
        ' < message [1, {"two": 2}] < disconnect',
        "echo: exit 0 < close 0",
        "missing: exit 1 < close 1",
        'args: out "a|b c --no-warnings\\n" < close 0',
        'args: fact spawnargs=[5, "--no-warnings"]',
        'late: fact listens=true < message "one" < message "two" < message "early" < exit 0 < close 0']),
    "cp-fork-exec-path": Case([
        'sh: spawn < message {"args": "zero one", "fd": "3", "mode": "json"} < disconnect',
        "sh: exit 0 < close 0",
        'silent: fact pipes=[true, true, true] < out "out\\n" < close 0',
        'missing: error ENOENT "spawn /nonexistent/program" "/nonexistent/program" ["x"] -2 < error EPIPE < close -2',
        "missing: fact sent=true < error ENOENT",
        "word: message 42 < disconnect",
        "missing: disconnect"]),
    "cp-fork-close": Case([
        'exits: spawn < message "one" < message "two" < disconnect',
        "exits: exit 7 < close 7",
        'by-signal: message "up" < disconnect',
        "by-signal: exit SIGKILL < close SIGKILL",
        "held: exit 0 < fact connected=true < close 0",
        "held: fact connected=true < disconnect"]),
    "cp-disconnect": Case([
        'parent: message "waiting" < returned connected=false < disconnect connected=false',
        'parent: out "disconnected false\\n"',
        "parent: returned < error ERR_IPC_DISCONNECTED",
        'parent: exit 0 < sent code="ERR_IPC_CHANNEL_CLOSED"',
        'child: message "leaving" < disconnect connected=false < exit 0 < close 0',
        'child: out "returned false\\ndisconnected false\\nstill here\\n" < close 0'], [
        Difference(CLOSE, [], ["parent: close 0"])]),
    "cp-internal": Case([
        'child: message {"cmd": "NODE_"} < internal message={"cmd": "NODE_x"} < message {"cmd": "xNODE_x"}'
        ' < message {"cmd": 5} < message ["NODE_x"] < disconnect'], [
        Difference(RESERVED, [], ["ours: fact refused=[false, true]"])]),
    "cp-send-cb": Case([
        "echo: returned < " + " < ".join(f'sent code="" number={i}' for i in range(5)),
        "echo: returned < " + " < ".join(f"message {i}" for i in range(5)) + " < disconnect",
        *(f'echo: sent code="" number={i} < disconnect' for i in range(5)),
        'echo: close 0 < sent code="ERR_IPC_CHANNEL_CLOSED" number=-1']),
    "cp-send-utf8": Case([
        "echo: fact same=[true, 1100000] < fact small < exit 0 < close 0"]),
    "cp-fork-net-server": Case([
        'child: spawn < sent code="" < fact accepts="child" < message "closed" < disconnect < exit 0',
        'child: message "listening" < fact accepts="child"',
        'parent: fact accepts="parent"'], [
        Difference(CLOSE, [], ["child: close 0"])]),
} | CLUSTER_CASES
