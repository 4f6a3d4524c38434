"""The pieces of the `http` engine: servers, what may be sent to them, and what they make of it."""
