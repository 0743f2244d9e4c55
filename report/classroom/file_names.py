"""A safe name of a file for whatever an id holds, on any system, and another one for each id."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

MAX_BYTES = 80
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def file_names(ids: Iterable[str]) -> dict[str, str]:
    """A name (without its ending) for each id.

    Letters and digits of any script, and . _ - within a name, stay as they are. Where anything else had
    to go, where the name is long or belongs to the system, and where two ids differ only in a way that
    some file system does not see, a fingerprint of the id is added.
    """
    known = tuple(dict.fromkeys(ids))
    names = {identity: _plain(identity) for identity in known}
    seen = Counter(_folded(name) for name in names.values())
    for identity, name in names.items():
        if name != identity or seen[_folded(name)] > 1:
            names[identity] = f"{_cut(name)}-{_fingerprint(identity)[:10]}"
    again = Counter(_folded(name) for name in names.values())
    return {
        identity: name if again[_folded(name)] == 1 else _fingerprint(identity)
        for identity, name in names.items()
    }


def _plain(identity: str) -> str:
    text = unicodedata.normalize("NFC", identity)
    kept = "".join(c if _is_fine(c) else "_" for c in text)
    name = _cut(re.sub(r"^[.-]+|[.-]+$", "_", kept) or "_")
    return f"_{name}" if _RESERVED.fullmatch(name) else name


def _is_fine(character: str) -> bool:
    return character in "._-" or unicodedata.category(character)[0] in "LM" or character.isdecimal()


def _cut(name: str) -> str:
    return name.encode()[:MAX_BYTES].decode(errors="ignore")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _fingerprint(identity: str) -> str:
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
