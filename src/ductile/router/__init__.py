"""The router: which jobs and runs follow from an event."""
