"""The fonts of the document: the bundled ones, and no other whatever the system has, but for those added.

"STIX Two Text" (four styles), "STIX Two Math" and "Source Code Pro" (regular, bold, italic) are the
families for stylesheets. A character that the asked family lacks comes from the math font or from
DejaVu, so that names and words in Hebrew, Arabic, Armenian or Georgian and most signs can be set.
"""

import contextlib
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType

from report import resources

FOLDER = "assets/fonts"
MATH = "STIX Two Math"
MATH_FILE = "STIXTwoMath-Regular.otf"

_CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
{added}  <cachedir>{cache}</cachedir>
  <match target="pattern">
    <edit name="family" mode="append_last" binding="strong">
      <string>STIX Two Text</string>
      <string>STIX Two Math</string>
      <string>DejaVu Sans</string>
{families}    </edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="autohint" mode="assign"><bool>false</bool></edit>
    <edit name="hintstyle" mode="assign"><const>hintnone</const></edit>
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
  </match>
  <alias binding="strong">
    <family>Source Code Pro</family>
    <accept><family>DejaVu Sans Mono</family></accept>
  </alias>
  <alias><family>serif</family><prefer><family>STIX Two Text</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>STIX Two Text</family></prefer></alias>
  <alias><family>math</family><prefer><family>STIX Two Math</family></prefer></alias>
  <alias><family>monospace</family><prefer>
    <family>Source Code Pro</family><family>DejaVu Sans Mono</family>
  </prefer></alias>
</fontconfig>
"""


environment = threading.RLock()  # it belongs to the process


@contextlib.contextmanager
def closed(files: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Inside this context, a process finds the bundled fonts only, and any locale finds the same.

    `files` maps the families to find beside them to their files.

    Pango reads its settings from the environment, some of them in a thread of its own: the context
    must last as long as text is laid out.
    """
    with environment, tempfile.TemporaryDirectory(prefix="report-") as folder:
        file = Path(folder, "fonts.conf")
        cache = _cache() or Path(folder)
        added = f"  <dir>{escape(str(_linked(files, cache)))}</dir>\n" if files else ""
        text = _CONFIGURATION.format(
            fonts=escape(str(resources.path(FOLDER))),
            added=added,
            families="".join(f"      <string>{escape(f)}</string>\n" for f in files),
            cache=escape(str(cache)),
        )
        file.write_text(text, encoding="utf-8")
        settings = {"FONTCONFIG_FILE": str(file), "FC_LANG": "en", "PANGO_LANGUAGE": "en"}
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _linked(files: Mapping[str, str], cache: Path) -> Path:
    """A folder that holds these files and no others, the same each time."""
    paths = sorted({*files.values()})
    folder = cache / f"added-{hashlib.sha256('|'.join(paths).encode()).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    for number, path in enumerate(paths):
        with contextlib.suppress(FileExistsError):
            (folder / f"{number}{Path(path).suffix}").symlink_to(path)
    return folder


def _cache() -> Path | None:
    """The user's folder for what fontconfig finds out about the font files, if it can be had."""
    folder = resources.cache("fontconfig")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if folder.is_absolute() and os.access(folder, os.W_OK) else None
