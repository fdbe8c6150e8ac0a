"""What can be wrong with a city that somebody brings."""


class CityError(Exception):
    """A city cannot be read or built: the message names the file, the thing and what is expected."""
