"""What every step stands on: records, store, artifacts, events, flow, clock, identity, errors."""
