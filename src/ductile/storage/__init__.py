"""The database behind one `Store`."""
