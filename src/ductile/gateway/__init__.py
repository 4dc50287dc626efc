"""The composition root: files in, a running gateway out; the only place that names implementations."""
