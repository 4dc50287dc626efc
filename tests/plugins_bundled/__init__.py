"""The plugins of the demo as real processes, and the hosts that they talk to."""
