"""Register each checkpoint of a PyTorch training run as a version, and take the best one back.

pip install -e '.[torch]'
python examples/checkpoints.py
"""

from pathlib import Path
from typing import Annotated, Any

import torch
from torch import nn

from lineal import Client, get_step_context, pipeline, register_artifact, step

CHECKPOINTS = "checkpoints"


@step
def make_data(points: int) -> Annotated[dict[str, torch.Tensor], "moons"]:
    """Make two half-moons that reach into each other, one class each."""
    generator = torch.Generator().manual_seed(7)
    angle = torch.linspace(0, torch.pi, points)
    upper = torch.stack((torch.cos(angle), torch.sin(angle)), 1)
    lower = torch.stack((1 - torch.cos(angle), 0.4 - torch.sin(angle)), 1)
    features = torch.cat((upper, lower)) + 0.15 * torch.randn(2 * points, 2, generator=generator)
    labels = torch.arange(2).repeat_interleave(points)
    order = torch.randperm(2 * points, generator=generator)
    return {"features": features[order], "labels": labels[order]}


def network(width: int) -> nn.Module:
    """Give a small network."""
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2))


def loss_on(model: nn.Module, data: dict[str, torch.Tensor]) -> torch.Tensor:
    """Give the mean loss of a model."""
    loss: torch.Tensor = nn.functional.cross_entropy(model(data["features"]), data["labels"])
    return loss


@step
def train(data: dict[str, torch.Tensor], width: int, epochs: int) -> Annotated[list[float], "losses"]:
    """Train, and register what PyTorch saves after each epoch: a folder with the model's weights and the optimizer's state."""
    seen = {name: tensor[:-100] for name, tensor in data.items()}
    unseen = {name: tensor[-100:] for name, tensor in data.items()}
    model = network(width)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    # A folder in the artifact store's own place; any other would do.
    folder = Path(Client().active_stack.artifact_store.path) / CHECKPOINTS / get_step_context().step_run_id
    losses = []
    for epoch in range(epochs):
        for start in range(0, len(seen["labels"]), 50):
            batch = {name: tensor[start : start + 50] for name, tensor in seen.items()}
            optimizer.zero_grad()
            loss_on(model, batch).backward()
            optimizer.step()
        with torch.no_grad():
            losses.append(float(loss_on(model, unseen)))
        checkpoint = folder / f"epoch-{epoch:03}"
        checkpoint.mkdir(parents=True)
        torch.save(model.state_dict(), checkpoint / "model.pt")
        torch.save(optimizer.state_dict(), checkpoint / "optimizer.pt")
        register_artifact(checkpoint, CHECKPOINTS, artifact_type="model", artifact_metadata={"epoch": epoch, "loss": losses[-1]})
        print(f"epoch {epoch}: loss {losses[-1]:.4f}")
    return losses


@step
def judge(checkpoint: Path, data: dict[str, torch.Tensor], width: int) -> Annotated[float, "accuracy"]:
    """Load a checkpoint as PyTorch does, and judge it. `checkpoint` is a private copy: the step could write to it."""
    model = network(width)
    model.load_state_dict(torch.load(checkpoint / "model.pt", weights_only=True))
    with torch.no_grad():
        guessed = model(data["features"]).argmax(1)
    return float((guessed == data["labels"]).float().mean())


@pipeline
def training(points: int = 400, width: int = 16, epochs: int = 8) -> None:
    """Make data and train."""
    train(make_data(points), width, epochs)


@pipeline
def judging(best: int, width: int = 16) -> None:
    """Judge one checkpoint."""
    # Versions stand for their values; what a type checker cannot know is said with Any.
    checkpoint: Any = Client().get_artifact_version(CHECKPOINTS, best)
    data: Any = Client().get_artifact_version("moons")
    judge(checkpoint, data, width)


def main() -> None:
    """Train, find the best checkpoint, judge it."""
    run = training()
    versions = Client().list_artifact_versions(artifact=CHECKPOINTS, run=run.id)
    if not versions:  # the training was given from the cache: its checkpoints are those of the run that made them
        versions = Client().list_artifact_versions(artifact=CHECKPOINTS)
    best = min(versions, key=lambda version: version.metadata["loss"])
    best.add_tags("best", exclusive=True)
    print(f"\nThe best of {len(versions)} checkpoints is {best.name}@{best.version}, epoch {best.metadata['epoch']}, at {best.path}")

    accuracy = judging(int(best.version)).steps["judge"].outputs["accuracy"]
    print(f"Its accuracy is {accuracy.load():.2f}. Where that comes from:\n{accuracy.lineage()}")


if __name__ == "__main__":
    main()
