"""The HTTP API and the MLflow protocol: faces over the steps' front doors, which decide nothing."""
