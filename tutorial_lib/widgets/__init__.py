"""What a lesson shows beside its text: panel, slider, question, upload."""

from tutorial_lib.widgets.guess import show_guess
from tutorial_lib.widgets.image_slider import show_slider
from tutorial_lib.widgets.image_upload import show_upload
from tutorial_lib.widgets.live_panel import LivePanel
from tutorial_lib.widgets.prompt_box import show_prompt_box

__all__ = [
    "LivePanel",
    "show_guess",
    "show_prompt_box",
    "show_slider",
    "show_upload",
]
