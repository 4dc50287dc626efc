"""The moving parts: intake, dispatcher, attempt, settle, janitor, rescuer."""
