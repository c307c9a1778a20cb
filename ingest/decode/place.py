"""Whether the place that a topic names is that of its machine."""

from collections.abc import Mapping

from ingest.plant import Plant

WORDS = ("site", "area", "line")
"""Words of a template that say where a machine stands, as the plant file has it."""


class Places:
    """Where the machines of a plant stand."""

    def __init__(self, plant: Plant) -> None:
        self._of = {each.name: {word: getattr(each, word) for word in WORDS} for each in plant.machines}
        self._known = {word: {place[word] for place in self._of.values()} - {""} for word in WORDS}

    def contradiction(self, machine: str, words: Mapping[str, str]) -> str:
        """Say that a topic names the place of other machines; empty where it does not.

        A place that no machine of the plant has may be another word for the right one, and says nothing; nor does
        it where the plant file does not say where the machine stands.

        Parameters
        ----------
        words : of a topic, by their names in the template

        Examples
        --------
        >>> from ingest.plant import Machine, MachineClass, Signal
        >>> press = MachineClass(name="press", signals=[Signal(name="a")])
        >>> machines = [Machine(name=f"p{number}", machine_class="press", line=f"l{number}") for number in (1, 2)]
        >>> places = Places(Plant(classes=[press], machines=machines))
        >>> places.contradiction("p1", {"line": "l2"})
        "its topic says line 'l2', and the plant file has 'p1' on line 'l1'; mend one of them"
        >>> places.contradiction("p1", {"line": "l1"}), places.contradiction("p1", {"line": "west"})
        ('', '')
        """
        own = self._of.get(machine, {})
        for word, name in own.items():
            said = words.get(word, name)
            if name and said != name and said in self._known[word]:
                there = f"the plant file has {machine!r} on {word} {name!r}"
                return f"its topic says {word} {said!r}, and {there}; mend one of them"
        return ""
