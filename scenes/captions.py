"""Captions: what happens, in a plain sentence."""

from collections.abc import Mapping, Sequence

from scenes.category import Member

__all__ = ["caption"]

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def caption(template: str, cast: Mapping[str, Sequence[Member]]) -> str:
    """Return a sentence with the names of roles in braces replaced by words for their bodies."""
    text = template.format_map({role: _phrase(members) for role, members in cast.items()})
    return text[:1].upper() + text[1:]


def _phrase(members: Sequence[Member]) -> str:
    """E.g. "a red rubber ball" or "five blocks of oak and steel"."""
    if len(members) == 1:
        (member,) = members
        words = " ".join(filter(None, (member.colour, member.material, member.noun)))
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
    nouns = {member.noun for member in members}
    noun = f"{nouns.pop()}s" if len(nouns) == 1 else "bodies"
    count = NUMBERS[len(members)] if len(members) < len(NUMBERS) else str(len(members))
    return f"{count} {noun} of {_joined(sorted({member.material for member in members}))}"


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
