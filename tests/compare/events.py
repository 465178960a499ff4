# SPDX-License-Identifier: Apache-2.0
"""The events of a run: read from JSON lines, compared as sets, and their order checked as a partial one.

An event is shown as `CHILD: WORD DETAILS`, such as `cat: exit SIGTERM`. Of what is free (the order between children,
between streams and exit, the size of the pieces that a stream comes in) nothing is compared.
"""
import json

ONCE = {"spawn", "exit", "close", "callback", "disconnect", "out-end", "err-end"}
# (earlier, later) for each child, where both come. A stream may end before or after exit; disconnect may come before
# or after exit and close.
ORDER = [
    *(("spawn", later) for later in ("out", "err", "out-end", "err-end", "message", "exit", "close", "disconnect")),
    ("exit", "close"), ("out", "out-end"), ("err", "err-end"), ("out", "close"), ("err", "close"), ("out-end", "close"), ("err-end", "close"),
    ("fork", "online"), ("fork", "exit"), ("online", "listening"), ("online", "disconnect"), ("online", "exit"),
    ("message", "disconnect"), ("message", "close"), ("callback", "close"), ("error", "close"),
]


class Event:
    def __init__(self, fields):
        self.fields = dict(fields)
        self.child, self.word = self.fields.pop("child"), self.fields.pop("event")

    def details(self):
        """What tells this event from another one of its word."""
        f = self.fields
        if self.word in ("exit", "close"):
            return [str(f["code"]) if f["code"] is not None else f["signal"]]
        if self.word in ("out", "err"):
            return [json.dumps(f["text"])]
        if self.word == "fact":
            return [f["name"] + "=" + json.dumps(f["value"], sort_keys=True)]
        if self.word == "refused":  # the call is Node's own affair: ours names the option in its text
            return [f["code"], str(f["errno"])]
        if self.word == "error":
            return [f["code"], *(json.dumps(v) for v in (f["syscall"], f["path"], f["spawnargs"]) if v), str(f["errno"])]
        if self.word in ("message", "cluster-message"):
            return [json.dumps(f["message"], sort_keys=True)]
        return [f"{name}={json.dumps(value, sort_keys=True)}" for name, value in sorted(f.items())]

    def __str__(self):
        return f"{self.child}: {' '.join([self.word, *self.details()])}"

    def matches(self, start):
        text = str(self)
        return text == start or text.startswith((start + " ", start + "="))


def parse(output, folder):
    """The events of a run's standard output; the pieces of one stream become one event, at the place of the last."""
    events = []
    for line in output.replace(folder, "<folder>").split("\n")[:-1]:
        event = Event(json.loads(line))
        if event.word in ("out", "err"):
            before = next((e for e in events if (e.child, e.word) == (event.child, event.word)), None)
            if before:
                events.remove(before)
                event.fields["text"] = before.fields["text"] + event.fields["text"]
        events.append(event)
    return events


def position(events, start):
    return next((i for i, event in enumerate(events) if event.matches(start)), None)


def disorder(events, chains):
    """What is wrong with the order: the house's rules for every child, then `chains` of the case itself, each a line
    such as `cat: spawn < exit SIGTERM < close`, whose events must all be there."""
    for child in dict.fromkeys(e.child for e in events):
        own = [e.word for e in events if e.child == child]
        for word in ONCE & set(own):
            if own.count(word) > 1:
                yield f"{child}: {own.count(word)} times {word}"
        for earlier, later in ORDER:
            if earlier in own and later in own and len(own) - 1 - own[::-1].index(earlier) > own.index(later):
                yield f"{child}: {later} before {earlier}"
        if "exit" in own and not {"spawn", "fork"} & set(own):
            yield f"{child}: exit without spawn"
    for chain in chains:
        child, _, words = chain.partition(": ")
        places = [(word, position(events, f"{child}: {word}")) for word in words.split(" < ")]
        for word, place in places:
            if place is None:
                yield f"{child}: no {word}"
        known = [(place, word) for word, place in places if place is not None]
        for (a, first), (b, second) in zip(known, known[1:]):
            if a >= b:
                yield f"{child}: {second} before {first}"


def without(events, expected, who):
    """The events as sorted text, less those of `expected`, which must be there, and complaints about those that are
    not."""
    texts, complaints = sorted(map(str, events)), []
    for text in expected:
        found = next((t for t in texts if t == text or t.startswith((text + " ", text + "=", text + ","))), None)
        if found is None:
            complaints.append(f"{who} was expected to differ by: {text}")
        else:
            texts.remove(found)
    return texts, complaints
