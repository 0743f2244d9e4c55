"""The fonts of the document: the bundled ones, and no other whatever the system has.

"STIX Two Text" (four styles), "STIX Two Math" and "Source Code Pro" (regular, bold, italic) are the
families for stylesheets. A character that the asked family lacks comes from the math font or from
DejaVu, so that names and words in Hebrew, Arabic, Armenian or Georgian and most signs can be set.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from report import resources

FOLDER = "assets/fonts"
MATH = "STIX Two Math"
MATH_FILE = "STIXTwoMath-Regular.otf"

_CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  {cache}
  <match target="pattern">
    <edit name="family" mode="append_last" binding="weak">
      <string>STIX Two Text</string>
      <string>STIX Two Math</string>
      <string>DejaVu Sans</string>
    </edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="autohint" mode="assign"><bool>false</bool></edit>
    <edit name="hintstyle" mode="assign"><const>hintnone</const></edit>
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
  </match>
  <alias binding="same">
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


@contextlib.contextmanager
def closed() -> Iterator[None]:
    """A font configuration made inside this context knows the bundled fonts only."""
    before = os.environ.get("FONTCONFIG_FILE")
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        file = Path(folder, "fonts.conf")
        file.write_text(
            _CONFIGURATION.format(
                fonts=escape(str(resources.path(FOLDER))), cache=_cache_element()
            ),
            encoding="utf-8",
        )
        os.environ["FONTCONFIG_FILE"] = str(file)
        try:
            yield
        finally:
            if before is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = before


def _cache_element() -> str:
    # What fontconfig finds out about the files; without a folder to keep it, it looks again.
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return f"<cachedir>{escape(folder)}/report/fontconfig</cachedir>" if folder[:1] == "/" else ""
