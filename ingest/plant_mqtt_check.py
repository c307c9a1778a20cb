"""Whether the ``[[mqtt]]`` tables of a plant file fit together, and fit the rest of it."""

from collections.abc import Iterator

from ingest import plant_stream_check
from ingest.decode.topic import Template, covers, overlap, word_of
from ingest.plant_draft import Draft
from ingest.plant_mqtt import Mqtt, MqttTopic
from ingest.plant_problem import Problem
from ingest.plant_stream_check import pattern, signals
from ingest.plant_unit_check import check_units
from ingest.plant_words import Location

_SPARKPLUG = ("group", "node", "device")
_MOST_FILTER_BYTES = 65_535


def check_mqtt(draft: Draft) -> Iterator[Problem]:
    """Give what does not fit together, stream by stream."""
    for index, stream in draft.mqtt.items():
        at: Location = ("mqtt", index)
        yield from plant_stream_check.name(draft, at, stream.name)
        yield from _connection(at, stream)
        if not stream.topics and stream.sparkplug is None:
            yield Problem((*at, "topics"), "is missing; add a [[mqtt.topics]] table, or sparkplug = {}")
        for position, topic in enumerate(stream.topics):
            yield from _topic(draft, (*at, "topics", position), topic)
        yield from _overlapping(at, stream)
        if stream.sparkplug is not None:
            here = (*at, "sparkplug")
            yield from pattern(draft, (*here, "machine"), stream.sparkplug.machine, _SPARKPLUG, "machine")
            yield from pattern(draft, (*here, "node_machine"), stream.sparkplug.node_machine, _SPARKPLUG[:2], "machine")
            yield from signals(draft, here, stream.sparkplug.signals)
            yield from check_units(draft, (*here, "units"), stream.sparkplug.units)
            for place, group in enumerate(stream.sparkplug.groups):
                if set(group) & set("/+#"):
                    yield Problem((*here, "groups", place), f"{group!r} is no group; write one level of a topic")


def _connection(at: Location, stream: Mqtt) -> Iterator[Problem]:
    yield from plant_stream_check.connection(at, stream)
    if stream.session_expiry.total_seconds() < 1:
        yield Problem((*at, "session_expiry"), "is not above zero; write a duration such as '7 d'")


def _topic(draft: Draft, at: Location, topic: MqttTopic) -> Iterator[Problem]:
    wrong = list(_template((*at, "template"), topic.template))
    yield from wrong
    yield from plant_stream_check.time_format(at, topic.time_format)
    yield from signals(draft, at, topic.signals)
    yield from check_units(draft, (*at, "units"), topic.units)
    if wrong:
        return
    names = Template(topic.template).names
    yield from pattern(draft, (*at, "machine"), topic.machine, names, "machine")
    if topic.payload == "number" or "signal" in topic.model_fields_set:
        yield from pattern(draft, (*at, "signal"), topic.signal, names, "signal")


def _overlapping(at: Location, stream: Mqtt) -> Iterator[Problem]:
    filters = [Template(each.template).filter for each in stream.topics]
    for place, mine in enumerate(filters):
        for before, other in enumerate(filters[:place]):
            if covers(other, mine):
                what = f"is never used: topics[{before + 1}] fits all its topics and stands before it"
                yield Problem((*at, "topics", place, "template"), what)
            elif overlap(other, mine) and not covers(mine, other):
                what = f"has topics in common with topics[{before + 1}], whose messages would come twice; narrow one"
                yield Problem((*at, "topics", place, "template"), what)


def _template(at: Location, template: str) -> Iterator[Problem]:
    levels = template.split("/")
    if len(template.encode()) > _MOST_FILTER_BYTES or "\0" in template:
        yield Problem(at, "is no topic; write levels with '/' between them")
    for place, level in enumerate(levels):
        if level == "#" and place < len(levels) - 1:
            yield Problem(at, "has '#' before its end; '#' stands for all levels that follow, write '+' for one")
        elif not word_of(level) and level not in ("+", "#") and set(level) & set("{}+#"):
            yield Problem(at, f"{level!r} is only part of a level; a word in braces, '+' and '#' take a whole one")
    names = [name for level in levels if (name := word_of(level))]
    for name in {each for each in names if names.count(each) > 1}:
        yield Problem(at, f"{{{name}}} stands here twice; give every word a name of its own")
