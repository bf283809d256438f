"""Starts a notebook's kernel as Colab does, with `google.colab` imported."""

import google.colab  # noqa: F401
from ipykernel import kernelapp

kernelapp.launch_new_instance()
