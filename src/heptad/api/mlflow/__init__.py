"""The MLflow REST protocol, as the client of MLflow 3.17 speaks it."""
