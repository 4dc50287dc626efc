"""The doors on the network."""
