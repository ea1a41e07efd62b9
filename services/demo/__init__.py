"""A venue made up for trying out and for measuring: traders with a history of orders and requests."""
