"""The small typed languages inside YAML: paths, conditions and templates."""
