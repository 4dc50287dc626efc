"""Workspaces: one directory per attempt, cloned by hard links, sealed and verified."""
