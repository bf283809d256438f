"""Checks of the lessons' exercises, one room for each lesson."""
