"""The inner loops of search. ``reference`` is what every faster one is tested against."""
