"""统一社会信用代码: normalising and checking (GB 32100-2015, inner code GB 11714)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Characters of a code; I, O, S, V and Z do not occur."""
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
"""By place, for the first 17 characters."""
_INNER_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


def normalise(text: str) -> str:
    """Return ``text`` without surrounding blanks, full-width characters narrowed, letters upper-case.

    Nothing else is repaired: an O stays an O and makes the code invalid.
    """
    return unicodedata.normalize("NFKC", text).strip().upper()


def check_character(first17: str) -> str:
    """Return the 18th character of the code that begins with ``first17`` (17 characters of the alphabet)."""
    return ALPHABET[-sum(_VALUE[c] * w for c, w in zip(first17, WEIGHTS, strict=True)) % 31]


def problem(code: str) -> str | None:
    """Say what is wrong with a normalised ``code``; ``None`` when it is valid."""
    if len(code) != 18:
        return f"{len(code)} characters, must be 18"
    strange = sorted({character for character in code if character not in _VALUE})
    if strange:
        return f"{', '.join(map(repr, strange))} cannot occur; allowed: {ALPHABET}"
    if code[17] != (expected := check_character(code[:17])):
        return f"check character is {code[17]!r}, must be {expected!r}"
    return None


def inner_warning(code: str) -> str | None:
    """Say how the organisation code within a valid ``code`` (characters 9–17) fails its own check; a warning only."""
    body, found = code[8:16], code[16]
    if not re.fullmatch(r"[0-9A-Z]{8}", body):
        return f"organisation code {body!r} is not eight digits or letters"
    remainder = 11 - sum(int(c, 36) * w for c, w in zip(body, _INNER_WEIGHTS, strict=True)) % 11
    expected = {10: "X", 11: "0"}.get(remainder, str(remainder))
    return None if found == expected else f"organisation code ends in {found!r}, its check says {expected!r}"
