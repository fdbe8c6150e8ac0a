"""The service office: catalogue, intake, cases, assistant."""
