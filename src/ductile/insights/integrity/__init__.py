"""Verifying: whether what was committed is still what the ledger says."""
