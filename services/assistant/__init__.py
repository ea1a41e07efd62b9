"""The AI assistant: answers out of this system's own figures, as the trader who asks, and never writes by itself."""
