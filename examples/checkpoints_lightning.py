"""Register what Lightning's ModelCheckpoint keeps of a training run, and load the best model back.

pip install -e '.[torch]' lightning
python examples/checkpoints_lightning.py
"""

import warnings
from pathlib import Path
from typing import Annotated, Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lineal import Client, get_step_context, pipeline, register_artifact, step

CHECKPOINTS = "lightning_checkpoints"


class Regression(lightning.LightningModule):
    """A small network that learns a curve."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1))

    def training_step(self, batch: Any, index: int) -> Any:
        """Give the loss of a batch."""
        return nn.functional.mse_loss(self.network(batch[0]), batch[1])

    def validation_step(self, batch: Any, index: int) -> None:
        """Log the loss of unseen points."""
        self.log("val_loss", nn.functional.mse_loss(self.network(batch[0]), batch[1]))

    def configure_optimizers(self) -> Any:
        """Give the optimizer."""
        return torch.optim.Adam(self.parameters(), lr=0.05)


def points(seed: int) -> DataLoader[Any]:
    """Give noisy points of a sine."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(200, 1, generator=generator) * 6
    y = torch.sin(x) + 0.1 * torch.randn(200, 1, generator=generator)
    return DataLoader(TensorDataset(x, y), batch_size=50)


@step
def train(width: int, epochs: int, keep: int) -> Annotated[float, "best_loss"]:
    """Train with Lightning, and register the checkpoints that it kept: files in a folder of the artifact store."""
    lightning.seed_everything(7, verbose=False)
    folder = Path(Client().active_stack.artifact_store.path) / CHECKPOINTS / get_step_context().step_run_id
    kept = ModelCheckpoint(dirpath=folder, filename="{epoch:02d}-{val_loss:.4f}", monitor="val_loss", save_top_k=keep)
    trainer = lightning.Trainer(
        max_epochs=epochs, callbacks=[kept], accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    trainer.fit(Regression(width), points(1), points(2))
    for place, loss in sorted(kept.best_k_models.items()):
        best = place == kept.best_model_path
        register_artifact(
            place, CHECKPOINTS, artifact_type="model", tags=["best"] if best else None, artifact_metadata={"loss": float(loss)}
        )
    return float(kept.best_model_score or 0.0)


@step
def predict(checkpoint: Path, x: float) -> Annotated[float, "prediction"]:
    """Load a checkpoint as Lightning does, and use it."""
    model = Regression.load_from_checkpoint(checkpoint, map_location="cpu", weights_only=True)
    with torch.no_grad():
        return float(model.network(torch.tensor([[x]])))


@pipeline
def training(width: int = 16, epochs: int = 10, keep: int = 3) -> None:
    """Train."""
    train(width, epochs, keep)


@pipeline
def predicting(x: float) -> None:
    """Predict with the newest checkpoint that is tagged as the best."""
    best: Any = Client().list_artifact_versions(artifact=CHECKPOINTS, tags="best")[0]
    predict(best, x)


def main() -> None:
    """Train, show what was kept, predict."""
    warnings.filterwarnings("ignore", module="lightning.*")  # advice on workers and hardware that such a small run has no use for
    training()
    for version in Client().list_artifact_versions(artifact=CHECKPOINTS, sort="created"):
        print(
            f"{version.name}@{version.version}: loss {version.metadata['loss']:.4f}, {', '.join(version.tags) or 'no tags'}, {version.path}"
        )

    prediction = predicting(1.5).steps["predict"].outputs["prediction"]
    print(f"\nsin(1.5) is about {prediction.load():.2f}. Where that comes from:\n{prediction.lineage()}")


if __name__ == "__main__":
    main()
