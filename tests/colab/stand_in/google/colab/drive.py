"""The reader's Drive as a folder."""

import os


def mount(mountpoint):
    """Make the Drive's folder; Colab asks the reader for leave first."""
    os.makedirs(os.path.join(mountpoint, "MyDrive"), exist_ok=True)
    print(f"Mounted at {mountpoint}")
