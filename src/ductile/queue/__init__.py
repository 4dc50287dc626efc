"""The contract of the durable queue, and its pure rules."""
