"""Sentences that keep what they were made of, so that a finding can be said in the reader's language."""

from evalkit.errors import Said


def joined(sentences, mark=" "):
    """The sentences that are not empty, one after another with ``mark`` between them, as one ``Said``."""
    parts = {f"part_{i}": sentence for i, sentence in enumerate(filter(None, sentences))}
    return Said(mark.join(f"{{{name}}}" for name in parts), **parts)


def first_line(error):
    """The first line of what another library's error says; its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def reason(error):
    """What an error says, as ``Said`` where it was raised with one."""
    return error.args[0] if error.args and isinstance(error.args[0], Said) else str(error)
