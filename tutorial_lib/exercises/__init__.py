"""Checks of the lessons' exercises, one module for each lesson."""
