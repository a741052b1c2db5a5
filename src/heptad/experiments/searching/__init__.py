"""The search for good parameters: what may be tried, who proposes it, how trials are run, and what came of them."""

import warnings

# Optuna's progress bar, which is not used here, warns in notebooks that have no ipywidgets.
warnings.filterwarnings("ignore", message="IProgress not found")
