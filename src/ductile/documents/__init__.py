"""YAML that remembers file, line and column; problems are collected, never the first one only."""
