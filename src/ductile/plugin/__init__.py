"""Plugins: manifest, registry, protocol envelopes and the runner."""
