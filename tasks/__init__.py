"""What runs by itself in the background: small steps, and a loop without logic."""
