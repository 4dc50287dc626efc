"""Stand-ins on loopback for the two hosts of the demo, with their real paths and forms."""

from __future__ import annotations

from ductile.demo.hosts.discord import DiscordApi, ReceivedMessage
from ductile.demo.hosts.video import Video, VideoHost

__all__ = ["DiscordApi", "ReceivedMessage", "Video", "VideoHost"]
