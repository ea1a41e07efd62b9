"""Ground floor: plain Python that knows neither Flask nor the database."""
