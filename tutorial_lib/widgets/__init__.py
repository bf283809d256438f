"""Widgets: where looking beats reading; each has a static form."""
