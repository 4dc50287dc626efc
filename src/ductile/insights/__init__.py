"""The read side, shared by every door."""
