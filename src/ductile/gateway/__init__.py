"""The composition root, and the only place that names implementations."""
