"""Where Chromium is, and how it is started: headless, with nothing but the page."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def chromium():
    """The path of Chromium; None where there is none (the set-up of the tests has said so)."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def environment():
    """The tests' environment with the fonts of the machine, without which Chromium does not run."""
    return {name: value for name, value in os.environ.items() if name != "FONTCONFIG_FILE"}
