"""The pipeline language: syntax, compiler, checks, fingerprint, loader, catalogue of versions."""
