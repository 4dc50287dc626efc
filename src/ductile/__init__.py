"""Ductile turns plain scripts into durable, inspectable pipelines."""
