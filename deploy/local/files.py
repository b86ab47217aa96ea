"""Files that a reader never sees half written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from deploy.local import account


def write_atomically(path: Path, text: str, *, mode: int = 0o600, owner: account.Account | None = None) -> None:
    """Put ``text`` at ``path``: a reader sees the old text or the new one, also after a crash of this process.

    Folders above are made. ``mode`` and ``owner`` hold from the first moment the new file can be seen.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            out.write(text)
        draft.chmod(mode)
        if owner is not None:
            owner.own(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
