import inspect
import json
import os
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.sklearn import SkopsMaterializer
from lineal.testing.materializers import MaterializerTests, content, load, save

NUMBERS = np.random.default_rng(0).random((40, 4))
TARGET = (NUMBERS[:, 0] > 0.5).astype(int)
TABLE = pd.DataFrame({"size": NUMBERS[:, 0], "colour": ["red", "blue"] * 20})
TEXTS = ["some words", "other words", "words again"]


def fitted(number: int) -> Any:
    """Train one of several models anew; each time the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged: short trainings are enough here
        return MODELS[number]()


MODELS = (
    lambda: LogisticRegression().fit(NUMBERS, TARGET),
    lambda: RandomForestClassifier(5, random_state=1).fit(NUMBERS, TARGET),
    lambda: GradientBoostingRegressor(n_estimators=3, random_state=1).fit(NUMBERS, TARGET),
    lambda: HistGradientBoostingClassifier(max_iter=3, random_state=1).fit(NUMBERS, TARGET),
    lambda: KNeighborsClassifier(algorithm="kd_tree").fit(NUMBERS, TARGET),
    lambda: SVC(probability=False).fit(NUMBERS, TARGET),
    lambda: KMeans(2, n_init=1, random_state=1).fit(NUMBERS),
    lambda: MLPClassifier((3,), max_iter=3, random_state=1).fit(NUMBERS, TARGET),
    lambda: GaussianProcessRegressor(RBF() + WhiteKernel(), random_state=1).fit(NUMBERS, TARGET),
    lambda: CalibratedClassifierCV(LogisticRegression()).fit(NUMBERS, TARGET),
    lambda: TfidfVectorizer().fit(TEXTS),
    lambda: make_pipeline(
        ColumnTransformer([("n", StandardScaler(), ["size"]), ("c", OneHotEncoder(), ["colour"])]), LogisticRegression()
    ).fit(TABLE, TARGET),
    lambda: GridSearchCV(SVC(), {"C": [1, 2]}, cv=KFold(3)),
    lambda: FunctionTransformer(np.log1p),
)


class TestSkops(MaterializerTests):
    """Fitted models, pipelines and searches."""

    materializer = SkopsMaterializer()
    other_process = False  # below, with models that are trained there
    values = tuple(fitted(number) for number in range(len(MODELS)))

    def equal(self, one: Any, other: Any) -> bool:
        return repr(one) == repr(other) and content_of(one) == content_of(other)

    def mutate(self, value: Any) -> bool:
        value.changed = True
        return True


def content_of(model: Any) -> str:
    """Give a model's attributes as text; arrays with all digits."""
    with np.printoptions(threshold=100_000, floatmode="unique"):
        text = repr({name: each for name, each in sorted(vars(model).items()) if name != "_stop_words_id"})
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


@pytest.mark.parametrize("number", range(len(MODELS)), ids=lambda number: type(TestSkops.values[number]).__name__)
def test_the_same_training_gives_the_same_bytes(number: int, tmp_path: Path) -> None:
    """A model trained again with the same data and seed is the same artifact: what comes after it can be reused."""
    first = save(SkopsMaterializer(), TestSkops.values[number], tmp_path / "a")
    assert content(save(SkopsMaterializer(), fitted(number), tmp_path / "b")) == content(first)


def train_and_save(folder: Path) -> None:
    """Train a model on texts and save it; runs here and in another process."""
    model = make_pipeline(TfidfVectorizer(stop_words=["a", "the"]), RandomForestClassifier(3, random_state=1))
    model.fit(["some words", "other words", "words again", "the end"], ["x", "y", "x", "z"])
    SkopsMaterializer().save(model, folder)


_ELSEWHERE = f"""
import sys
from pathlib import Path
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from lineal.materializers.sklearn import SkopsMaterializer
{inspect.getsource(train_and_save)}
train_and_save(Path(sys.argv[1]))
"""


def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    """Trained in two processes with other hash seeds, a model has one digest: addresses and the order of sets do not show."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    train_and_save(here)
    subprocess.run([sys.executable, "-c", _ELSEWHERE, there], env={**os.environ, "PYTHONHASHSEED": "3"}, check=True)
    assert content(there) == content(here)


@pytest.mark.parametrize("number", [0, 1, 2, 4, 7, 11])
def test_a_loaded_model_predicts_the_same(number: int, tmp_path: Path) -> None:
    """Predictions of the model and of what is loaded agree to the last bit."""
    model = TestSkops.values[number]
    data = TABLE if number == 11 else NUMBERS
    assert np.array_equal(load(SkopsMaterializer(), save(SkopsMaterializer(), model, tmp_path / "a")).predict(data), model.predict(data))


class Custom(BaseEstimator):
    """An estimator that scikit-learn does not know."""


@pytest.mark.parametrize(
    "model",
    [
        Birch().fit(NUMBERS),
        make_pipeline(Custom(), StandardScaler()),
        FunctionTransformer(lambda x: x),
        FunctionTransformer(np.load),
        LogisticRegression(class_weight={False: 1.0, True: 2.0}),
    ],
    ids=["unsupported", "own class", "lambda", "function that reads files", "keys that skops confuses"],
)
def test_what_skops_would_not_give_back_is_declined(model: Any, tmp_path: Path) -> None:
    """Foreign classes and functions, and values that skops would change without a word, go to the next materializer; no file is left."""
    with pytest.raises(NoMaterializer, match="left to the fallback"):
        SkopsMaterializer().save(model, tmp_path)
    assert list(tmp_path.glob("*.skops")) == []


def test_only_estimators_of_scikit_learn_are_accepted() -> None:
    """An own class is declined at once, without trying."""
    assert SkopsMaterializer().accepts(LogisticRegression())
    assert not SkopsMaterializer().accepts(Custom())


def test_a_forged_file_is_not_loaded(tmp_path: Path) -> None:
    """A file that names a function outside the list, here one that runs text, is refused before anything is made of it."""
    schema = {
        "__class__": "runstring",
        "__module__": "numpy.testing",
        "__loader__": "ConstructorFromReduceNode",
        "content": {
            "__class__": "tuple",
            "__module__": "builtins",
            "__loader__": "TupleNode",
            "content": [{"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"raise SystemExit"'}],
        },
        "protocol": 2,
    }
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    assert skops.io.get_untrusted_types(file=tmp_path / "model.skops") == ["numpy.testing.runstring"]
    with pytest.raises(MaterializerError, match=r"numpy\.testing\.runstring"):
        SkopsMaterializer().load(tmp_path, None)


def test_facts_of_a_model() -> None:
    """Class and plain parameters, nested ones by their full name; what is not plain is left out."""
    facts = SkopsMaterializer().metadata(make_pipeline(StandardScaler(), SVC(C=2.5, gamma=np.float64(0.5))))
    assert facts["class"] == "sklearn.pipeline.Pipeline"
    assert facts["parameters"]["svc__C"] == 2.5
    assert facts["parameters"]["svc__gamma"] == 0.5
    assert "svc" not in facts["parameters"]
    assert SkopsMaterializer.data_type == "model"


def test_saving_a_model_does_not_import_torch(elsewhere: Any, tmp_path: Path) -> None:
    """skops looks into every module of scikit-learn, some of which import torch, cupy or dask where these are installed: seconds."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("linalg = fft = None\n")
    program = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sklearn.linear_model import LinearRegression
from lineal.materializers.sklearn import SkopsMaterializer
Path(sys.argv[1], "out").mkdir()
SkopsMaterializer().save(LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), Path(sys.argv[1], "out"))
print("torch" in sys.modules, "sklearn.externals.array_api_compat.torch" in sys.modules)
"""
    assert elsewhere(program, tmp_path) == "False False"
