"""Helpers of `breast_cancer.py`, in a module of their own.

The steps reach this code, so it is part of what decides whether they run again: change `prepare` and run the example once more.
A change of a comment, a docstring or the formatting changes nothing.
"""

import pandas as pd
from sklearn.datasets import load_breast_cancer

TARGET = "benign"
UNSEEN = 69


def patients() -> pd.DataFrame:
    """Give the 569 rows of the Wisconsin data that comes with scikit-learn: 30 measurements and the diagnosis."""
    data = load_breast_cancer(as_frame=True)
    frame: pd.DataFrame = data.frame
    return frame.rename(columns={"target": TARGET})


def prepare(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the one derived measurement that the model uses: how irregular the outline is for its size."""
    return frame.assign(outline=frame["mean perimeter"] ** 2 / frame["mean area"])
