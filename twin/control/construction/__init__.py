"""The construction desk: project files, warnings, rectification."""
