"""Those who come: grid workers, rescue, fire engines, repair crews; in truth."""
