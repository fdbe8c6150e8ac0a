"""The scenarios that come with the twin, as YAML files."""
