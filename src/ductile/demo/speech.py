"""The video of the demo: a speech in the public domain, with its real captions."""

from __future__ import annotations

from pathlib import Path

from ductile.demo.hosts import Video

VIDEO_ID = "Lincoln1865"
VIDEO_URL = f"https://www.youtube.com/watch?v={VIDEO_ID}"
CAPTIONS = Path(__file__).with_name("captions.vtt")


def speech(captions: Path = CAPTIONS) -> Video:
    """The speech, or another video with the captions of a file in WebVTT."""
    title = captions.stem
    author = ""
    if captions == CAPTIONS:
        title = "Abraham Lincoln: Second Inaugural Address (March 4, 1865)"
        author = "Public Domain Speeches"
    return Video(title=title, author=author, captions=captions.read_text(encoding="utf-8"))
