"""Files that the browser takes to the reader's own computer."""

import os

downloaded = []  # paths, where Colab would open the browser's dialog


def download(filename):
    """Take a file home; raise FileNotFoundError if it is not there."""
    if not os.path.exists(filename):
        raise FileNotFoundError(f"Cannot find file: {filename}")
    downloaded.append(os.fspath(filename))
