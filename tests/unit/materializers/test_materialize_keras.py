import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.keras import ModelMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.testing.materializers import MaterializerTests, content, load, save

# keras with torch below, and numpy 2.4: not ours to mend, and not seen by users, since it does not come from their own code.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

ROWS = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)


@keras.saving.register_keras_serializable("tests")
class Twice(keras.layers.Layer):
    """A layer of one's own."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

    def call(self, rows: Any) -> Any:
        return keras.ops.matmul(rows, self.kernel) * 2

    def get_config(self) -> Any:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("tests")
def softer(rows: Any) -> Any:
    return keras.ops.tanh(rows) / 2


def start() -> None:
    """Have names and weights begin anew, so that the values are always the same."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)


def trained() -> Any:
    start()
    shared = keras.regularizers.L2(0.1)
    first = keras.layers.Dense(4, activation="relu", kernel_regularizer=shared)
    model = keras.Sequential([keras.Input((3,)), first, keras.layers.Dropout(0.5), keras.layers.Dense(1, kernel_regularizer=shared)])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(ROWS, ROWS[:, :1], epochs=2, verbose=0)
    return model


def functional() -> Any:
    start()
    given = keras.Input((4, 4, 1))
    hidden = keras.layers.Flatten()(keras.layers.BatchNormalization()(keras.layers.Conv2D(2, 2)(given)))
    outputs = {"a": keras.layers.Dense(2)(hidden), "b": keras.layers.Dense(1, activation=keras.activations.sigmoid)(hidden)}
    model = keras.Model(given, outputs)
    model.layers[1].trainable = False
    return model


def own() -> Any:
    start()
    return keras.Sequential([keras.Input((3,)), Twice(2), keras.layers.Activation(softer)])


def words() -> Any:
    start()
    return keras.Sequential(
        [keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 4), keras.layers.Bidirectional(keras.layers.GRU(3))]
    )


def plain(config: Any) -> Any:
    """Give a configuration without the addresses in it."""
    if isinstance(config, dict):
        return {name: plain(each) for name, each in config.items() if name != "shared_object_id"}
    return [plain(each) for each in config] if isinstance(config, list | tuple) else config


class TestModel(MaterializerTests):
    """Models of keras' own and of one's own layers."""

    materializer = ModelMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = (trained(), functional(), own(), words())

    def equal(self, one: Any, other: Any) -> bool:
        weights = zip(one.get_weights(), other.get_weights(), strict=True)
        same = plain(one.get_config()) == plain(other.get_config()) and one.compiled == other.compiled
        return same and all(np.array_equal(a, b) for a, b in weights)

    def mutate(self, value: Any) -> bool:
        value.set_weights([each + 1 for each in value.get_weights()])
        return True


def test_model_computes_and_trains_on_as_before(tmp_path: Path) -> None:
    """Predictions, compilation and the state of the optimizer come back."""
    model = trained()
    back = load(ModelMaterializer(), save(ModelMaterializer(), model, tmp_path / "a"))
    assert np.allclose(back.predict(ROWS, verbose=0), model.predict(ROWS, verbose=0), rtol=1e-6)
    assert int(back.optimizer.iterations) == int(model.optimizer.iterations) == 2
    assert back.get_compile_config() == model.get_compile_config()
    back.fit(ROWS, ROWS[:, :1], verbose=0)


def test_file_is_one_that_keras_reads(tmp_path: Path) -> None:
    """Without Lineal, and without a date in it."""
    model = trained()
    folder = save(ModelMaterializer(), model, tmp_path / "a")
    assert [each.name for each in folder.iterdir()] == ["model.keras"]
    plain = keras.saving.load_model(folder / "model.keras")
    assert all(np.array_equal(a, b) for a, b in zip(plain.get_weights(), model.get_weights(), strict=True))
    with zipfile.ZipFile(folder / "model.keras") as file:
        assert json.loads(file.read("metadata.json")) == {"keras_version": keras.__version__}


def test_registry_chooses_the_nearest() -> None:
    """With torch below, a model is a torch module too."""
    candidates = Registry(CloudpickleMaterializer()).candidates(functional())
    assert [each.id for each in candidates][:2] == ["keras.Model/1", "torch.PickledModule/1"]


def test_model_with_a_lambda_is_declined(tmp_path: Path) -> None:
    """keras would store its byte code; nothing half is left in the folder."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda rows: rows * 2)])
    (tmp_path / "a").mkdir()
    with pytest.raises(NoMaterializer, match="__lambda__"):
        ModelMaterializer().save(model, tmp_path / "a")
    assert list((tmp_path / "a").iterdir()) == []


class Unknown(keras.Model):
    """A model that does not say how it is made."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer
        self.built = True


def test_model_without_a_configuration_is_declined(tmp_path: Path) -> None:
    """It goes to the next materializer."""
    with pytest.raises(NoMaterializer, match="get_config"):
        save(ModelMaterializer(), Unknown(object()), tmp_path / "a")


def forge(folder: Path, **changed: Any) -> None:
    """Change the configuration of the first layer of a stored model."""
    path = folder / "model.keras"
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1].update(changed)
    with zipfile.ZipFile(path, "w") as file:
        for name, data in {**parts, "config.json": json.dumps(config)}.items():
            file.writestr(name, data)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"class_name": "__lambda__", "config": {"value": "code"}}, "holds __lambda__"),
        ({"class_name": "TorchModuleWrapper", "registered_name": "tests>Twice"}, "holds TorchModuleWrapper"),
        ({"class_name": "TFSMLayer"}, "holds TFSMLayer"),
        (
            {"module": "subprocess", "class_name": "Popen", "registered_name": "Popen"},
            "names subprocess.Popen, which is not registered here",
        ),
        ({"module": "lineal_evil", "class_name": "Layer", "registered_name": "Layer"}, "names lineal_evil.Layer, which is not registered"),
        ({"module": None, "class_name": "Layer", "registered_name": "evil>Layer"}, "names None.evil>Layer, which is not registered"),
        ({"module": ["os"], "class_name": "Layer", "registered_name": None}, r"names \['os'\].Layer"),
        ({"config": {"f": {"module": "os", "class_name": "function", "config": "system"}}}, "names os.system"),
        (
            {"config": {"f": {"module": "keras.utils", "class_name": "function", "config": "get_file"}}},
            "names keras.utils.get_file",
        ),
    ],
)
def test_configuration_names_nothing_but_what_keras_knows(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    """A forged one cannot have code run, a module imported, or a file fetched."""
    folder = save(ModelMaterializer(), trained(), tmp_path / "a")
    forge(folder, **changed)
    with pytest.raises(MaterializerError, match=message):
        load(ModelMaterializer(), folder)
    assert "lineal_evil" not in sys.modules


class Plain(keras.layers.Dense):
    """A layer of one's own that keras has not been told of."""


def test_model_with_a_layer_that_is_not_registered_is_declined(tmp_path: Path) -> None:
    """keras would save it, and not load it."""
    with pytest.raises(NoMaterializer, match=r"Plain, which is not registered here: see keras.saving.register_keras_serializable"):
        save(ModelMaterializer(), keras.Sequential([keras.Input((3,)), Plain(2)]), tmp_path / "a")


def test_no_pickle_is_read(tmp_path: Path, trap: Any) -> None:
    """Neither in the place of the file nor of the weights in it."""
    folder = save(ModelMaterializer(), trained(), tmp_path / "a")
    path = folder / "model.keras"
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in {**parts, "model.weights.h5": trap.pickled}.items():
            file.writestr(name, data)
    with pytest.raises(OSError, match="signature"):
        load(ModelMaterializer(), folder)
    path.write_bytes(trap.pickled)
    with pytest.raises(zipfile.BadZipFile):
        load(ModelMaterializer(), folder)
    assert not trap.sprung


def test_metadata() -> None:
    """Layers, parameters and which of them are trained."""
    facts = ModelMaterializer().metadata(functional())
    assert (facts["class"], facts["layers"], facts["parameters"], facts["trainable"]) == (
        "keras.src.models.functional.Functional",
        6,
        75,
        61,
    )
    assert "parameters" not in ModelMaterializer().metadata(keras.Sequential())


def test_training_again_gives_the_same_bytes(tmp_path: Path) -> None:
    """With the same seed; neither the date nor addresses show."""
    assert content(save(ModelMaterializer(), trained(), tmp_path / "a")) == content(save(ModelMaterializer(), trained(), tmp_path / "b"))


def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """The models are trained anew there, under another hash seed."""
    assert_same_elsewhere(TestModel)
