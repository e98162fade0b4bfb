"""HTTP and WebSocket surface."""
