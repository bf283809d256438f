"""A stand-in for `google.colab`, which is on Colab's machines alone.

It has what the lessons name: files to take home, and a drive that outlives
the machine.
"""

from google.colab import drive, files

__all__ = ["drive", "files"]
