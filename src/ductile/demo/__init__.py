"""The main job on real input, offline: a speech, five plugins, and the two hosts they talk to."""
