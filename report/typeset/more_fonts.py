"""Fonts for letters that the bundled ones lack, such as those of Chinese, Hindi or Thai names.

They come from Python packages (`pip install "report[fonts]"`) or from the system, where fontconfig finds
them; what is taken goes into the PDF, cut to the letters used. Which fonts are taken is decided by the
letters and by what is there, whatever the order in which it is found.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from report.typeset import fonts

PACKAGES = ("fontpkg_noto_sans_devanagari", "fontpkg_noto_sans_thai", "justmytype_intl_cjk")
_LIKED = ("Noto Serif CJK", "Noto Sans CJK", "Noto Serif", "Noto Sans")  # the first one first
_LIBRARIES = ("libfontconfig.so.1", "libfontconfig.1.dylib", "libfontconfig-1.dll")
_REGULAR, _UPRIGHT = 80, 0  # fontconfig's numbers for weight and slant
_KANA = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}


@dataclass(frozen=True)
class Face:
    """A family, and a font file that has it."""

    file: str
    family: str


@dataclass(frozen=True, eq=False)
class _Font:
    face: Face
    place: tuple[int, str, str, int]  # before others that have the same letters
    letters: Any  # fontconfig's set of characters

    def has(self, letter: str) -> bool:
        return bool(_library().FcCharSetHasChar(self.letters, ord(letter)))


def faces(text: str) -> tuple[Face, ...]:
    """The fonts to add for a text; they need not have all that the bundled ones lack."""
    return _chosen(_lacked(text))[0]


def missing(text: str) -> str:
    """The letters of a text that no font here has."""
    return _chosen(_lacked(text))[1]


def described(text: str) -> dict[str, str]:
    """The families that a text needs beside the bundled ones, each with what tells its file from others."""
    return {face.family: _digest(face.file) for face in faces(text)}


@cache
def _digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def _lacked(text: str) -> str:
    """The letters that no bundled font has, in Unicode's order."""
    if text.isascii():
        return ""
    return "".join(c for c in sorted(set(text)) if c > "\u02af" and _is_lacked(c))


@lru_cache(maxsize=65536)
def _is_lacked(letter: str) -> bool:
    if unicodedata.category(letter)[0] in "CZ":  # not seen
        return False
    return not any(font.has(letter) for font in _bundled())


@lru_cache(maxsize=256)
def _chosen(letters: str) -> tuple[tuple[Face, ...], str]:
    """The fewest fonts that have the letters, and what none has."""
    left, taken = set(letters), []
    while left:
        found = {font: sum(map(font.has, left)) for font in _others()}
        most = max(found.values(), default=0)
        if not most:
            break
        alike = (font for font, count in found.items() if count == most)
        best = min(alike, key=lambda font: (*_form(font.face.family, letters), *font.place))
        taken.append(best.face)
        left -= {c for c in left if best.has(c)}
    return tuple(taken), "".join(sorted(left))


def _form(family: str, letters: str) -> tuple[bool]:
    """Whether the form of Chinese characters is another one than goes with the other letters."""
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in letters}
    form = "JP" if scripts & _KANA else "KR" if "HANGUL" in scripts else "SC"
    return (not family.endswith(form),)


# ---------------------------------------------------------------- fontconfig


class _Set(ctypes.Structure):
    _fields_ = (
        ("count", ctypes.c_int),
        ("room", ctypes.c_int),
        ("fonts", ctypes.POINTER(ctypes.c_void_p)),
    )


@cache
def _library() -> Any:
    """fontconfig, which Pango cannot do without. Raises OSError where it is not there."""
    library: Any = None
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            break
        except OSError:
            if name == _LIBRARIES[-1]:
                raise
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    library.FcInitLoadConfigAndFonts.restype = pointer
    library.FcConfigGetFonts.restype = ctypes.POINTER(_Set)
    library.FcConfigGetFonts.argtypes = [pointer, number]
    library.FcConfigAppFontAddFile.argtypes = [pointer, text]
    library.FcCharSetHasChar.argtypes = [pointer, ctypes.c_uint32]
    for kind, given in {
        "String": text,
        "Integer": number,
        "Bool": number,
        "CharSet": pointer,
    }.items():
        get = getattr(library, f"FcPatternGet{kind}")
        get.argtypes = [pointer, text, number, ctypes.POINTER(given)]
    return library


@cache
def _bundled() -> tuple[_Font, ...]:
    try:
        with fonts.closed():
            return tuple(_found(_library().FcInitLoadConfigAndFonts()))
    except OSError:
        return ()


@cache
def _others() -> tuple[_Font, ...]:
    """The upright fonts of packages and of the system, the regular weight first."""
    with fonts.environment:  # not while fonts are closed
        config = _library().FcInitLoadConfigAndFonts()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        folders = (spec and spec.submodule_search_locations) or ()
        for file in sorted(f for folder in folders for f in Path(folder).rglob("*.[ot]t[cf]")):
            _library().FcConfigAppFontAddFile(config, str(file).encode())
    return tuple(_found(config))


def _found(config: int) -> Iterator[_Font]:
    """The fonts of a configuration that can be embedded: with outlines, without colours."""
    for which in (0, 1):  # of the system, of the application
        group = _library().FcConfigGetFonts(config, which)
        for i in range(group.contents.count if group else 0):
            pattern = group.contents.fonts[i]
            file, family = (_got(pattern, "String", n) for n in ("file", "family"))
            letters = _got(pattern, "CharSet", "charset")
            outlines = _got(pattern, "Bool", "outline") and not _got(pattern, "Bool", "color")
            if not (file and family and letters and outlines) or _got(pattern, "Integer", "slant"):
                continue
            name, path = family.decode(), Path(file.decode())
            liked = next((n for n, f in enumerate(_LIKED) if name.startswith(f)), len(_LIKED))
            weight = abs((_got(pattern, "Integer", "weight") or 0) - _REGULAR)
            place = (liked, name, f"{weight:03}{path.name}", _got(pattern, "Integer", "index") or 0)
            yield _Font(Face(str(path), name), place, letters)


_KINDS = {
    "String": ctypes.c_char_p,
    "Integer": ctypes.c_int,
    "Bool": ctypes.c_int,
    "CharSet": ctypes.c_void_p,
}


def _got(pattern: int, kind: str, name: str) -> Any:
    """A property of a font; None where it has none of this kind."""
    value: Any = _KINDS[kind]()
    get = getattr(_library(), f"FcPatternGet{kind}")
    return None if get(pattern, name.encode(), 0, ctypes.byref(value)) else value.value
