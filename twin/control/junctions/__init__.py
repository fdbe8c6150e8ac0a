"""Roads: signals, vehicle-road-cloud messages, and traffic control around incidents (facts F19, F20)."""
