"""What tells this machine from another one, so that a copied buffer is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_BOARD: Final = ("proc/device-tree/serial-number", "sys/class/dmi/id/product_uuid")
_NETWORK: Final = "sys/class/net"
_SYSTEM: Final = "etc/machine-id"
_HARDWARE: Final = "hw:"
_INSTALLED: Final = "id:"


def marks(root: Path = Path("/")) -> frozenset[str]:
    """Return what can be known of the machine, hashed: board serial, burnt-in network addresses, system id.

    A copied card brings the system id (``/etc/machine-id``) along and leaves the hardware behind, so that the id only
    counts where no hardware can be seen, as in a container. Empty when nothing can be read.
    """
    found = [_HARDWARE + _hashed(text) for text in (*_texts(root, _BOARD), *_burnt_in(root / _NETWORK))]
    return frozenset([*found, *(_INSTALLED + _hashed(text) for text in _texts(root, (_SYSTEM,)))])


def differs(known: Iterable[str], found: Iterable[str]) -> bool:
    """Return whether ``found`` is certainly another machine than ``known``; doubt is no difference.

    One common piece of hardware makes it the same: boards get another network card, and cards another board.
    """
    known, found = set(known), set(found)
    for kind in (_HARDWARE, _INSTALLED):
        ours, theirs = ({mark for mark in marks if mark.startswith(kind)} for marks in (known, found))
        if ours and theirs:
            return not ours & theirs
    return False


def _texts(root: Path, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        text = _text(root / name)
        # Boards whose maker set no number all bear the same one.
        if len(set(text.strip("-0"))) > 1:
            yield text


def _burnt_in(network: Path) -> Iterator[str]:
    """Yield the addresses of real network cards; those of bridges, containers and modems with dice are no marks."""
    if not network.is_dir():
        return
    for card in sorted(network.iterdir()):
        if (card / "device").exists() and _text(card / "addr_assign_type") == "0":
            address = _text(card / "address")
            if address.strip("0:"):
                yield address


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", errors="replace").strip(" \t\r\n\0").lower()
    except OSError:
        return ""


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
