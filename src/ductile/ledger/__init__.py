"""The contract of the context ledger, and the pure rules of baggage."""
