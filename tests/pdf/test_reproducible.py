"""The same bytes every time, whatever the process, the place and the system."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pdf import documents

ROOT = Path(__file__).parents[2]
CODE = (
    "import hashlib; from tests.pdf.documents import rendered;"
    "print(hashlib.sha256(rendered()).hexdigest())"
)
OTHER_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>"""


def other_fonts(folder: Path) -> Path:
    """A font configuration with other fonts, one of them by a name that documents use."""
    import matplotlib as mpl
    from fontTools.ttLib import TTFont

    with TTFont(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSerif.ttf")) as font:
        for record in font["name"].names:
            if record.nameID in {1, 4, 16}:
                font["name"].setName("STIX Two Text", record.nameID, 3, 1, 0x409)
        font.save(folder / "impostor.ttf")
    file = folder / "fonts.conf"
    file.write_text(OTHER_FONTS.format(fonts=folder, cache=folder / "cache"))
    return file


@pytest.mark.parametrize("system", ["none", "other"])
def test_same_bytes(system: str, tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT"}
    }
    environment["PYTHONPATH"] = str(ROOT)
    if system == "none":
        environment |= {
            "TZ": "Asia/Kathmandu",
            "PYTHONHASHSEED": "1",
            "LC_ALL": "C",
            "HOME": "/nonexistent",
            "FONTCONFIG_PATH": "/nonexistent",
            "FONTCONFIG_FILE": "/nonexistent/fonts.conf",
        }
    else:
        environment |= {
            "TZ": "America/St_Johns",
            "PYTHONHASHSEED": "2",
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "tr",
            "HOME": str(tmp_path),
            "FONTCONFIG_FILE": str(other_fonts(tmp_path)),
        }
    found = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found.stderr == ""
    assert found.stdout.strip() == hashlib.sha256(documents.rendered()).hexdigest()


def test_same_bytes_again() -> None:
    documents.rendered()
    documents.rendered.cache_clear()
    assert documents.rendered() == documents.rendered.__wrapped__()
