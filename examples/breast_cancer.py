"""Train on real data, use the model in a second pipeline, and see what was kept.

python examples/breast_cancer.py
lineal run examples/breast_cancer.py:training_pipeline --param n_estimators=50
"""

from typing import Annotated, Tuple  # noqa: UP035  (Tuple[...] and tuple[...] both name several outputs)

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, roc_auc_score
from sklearn.model_selection import train_test_split

from breast_cancer_features import TARGET, UNSEEN, patients, prepare
from lineal import ArtifactConfig, log_metadata, pipeline, step
from lineal.client import Client

MODEL = "breast_cancer_model"


@step
def load_data() -> Annotated[pd.DataFrame, "breast_cancer_data"]:
    """Take all patients but the last ones, which stay unseen until the inference pipeline."""
    return prepare(patients().iloc[:-UNSEEN])


@step
def split_data(
    data: pd.DataFrame, test_size: float
) -> Tuple[  # noqa: UP006
    Annotated[pd.DataFrame, "train_features"],
    Annotated[pd.DataFrame, "test_features"],
    Annotated[pd.Series, "train_labels"],
    Annotated[pd.Series, "test_labels"],
]:
    """Split into what the model learns from and what it is judged by."""
    features, labels = data.drop(columns=TARGET), data[TARGET]
    train_features, test_features, train_labels, test_labels = train_test_split(
        features, labels, test_size=test_size, stratify=labels, random_state=7
    )
    return train_features, test_features, train_labels, test_labels


@step
def train(
    features: pd.DataFrame, labels: pd.Series, n_estimators: int
) -> Annotated[RandomForestClassifier, ArtifactConfig(name=MODEL, tags=["example"], artifact_type="model")]:
    """Train a random forest."""
    model = RandomForestClassifier(n_estimators=n_estimators, random_state=7, oob_score=True)
    model.fit(features, labels)
    log_metadata({"out_of_bag_score": float(model.oob_score_), "rows": len(features)})
    return model


@step
def evaluate(
    model: RandomForestClassifier, features: pd.DataFrame, labels: pd.Series
) -> Tuple[Annotated[dict[str, float], "metrics"], Annotated[pd.DataFrame, "confusion"]]:  # noqa: UP006
    """Judge the model by rows that it has not seen."""
    predicted = model.predict(features)
    metrics = {
        "accuracy": float(accuracy_score(labels, predicted)),
        "f1": float(f1_score(labels, predicted)),
        "roc_auc": float(roc_auc_score(labels, model.predict_proba(features)[:, 1])),
    }
    names = ["malignant", "benign"]
    confusion = pd.DataFrame(confusion_matrix(labels, predicted), index=names, columns=names)
    log_metadata(metrics)
    return metrics, confusion


@pipeline
def training_pipeline(test_size: float = 0.25, n_estimators: int = 100) -> None:
    """Load, split, train, evaluate."""
    train_features, test_features, train_labels, test_labels = split_data(load_data(), test_size)
    model = train(train_features, train_labels, n_estimators)
    evaluate(model, test_features, test_labels)


@step
def load_new_rows() -> Annotated[pd.DataFrame, "new_rows"]:
    """Take the patients that training never saw, without their diagnosis."""
    return prepare(patients().iloc[-UNSEEN:]).drop(columns=TARGET)


@step
def predict(model: RandomForestClassifier, rows: pd.DataFrame) -> Annotated[pd.DataFrame, "predictions"]:
    """Give for each row the probability that the tumour is benign, and the verdict."""
    probability = model.predict_proba(rows)[:, 1]
    return pd.DataFrame({"benign": probability, "verdict": model.predict(rows)}, index=rows.index)


@pipeline
def inference_pipeline() -> None:
    """Predict with the newest model, whichever pipeline made it."""
    model = Client().get_artifact_version(MODEL)
    predict(model, load_new_rows())


def main() -> None:
    """Run everything once and show what was kept."""
    client = Client()

    print("\n1. Train.")
    run = training_pipeline()
    metrics = run.steps["evaluate"].outputs["metrics"].load()
    print("   " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))

    print("\n2. Train again: nothing has changed, so no step runs.")
    training_pipeline()

    print("\n3. Train with 200 trees: the data and its split are reused.")
    training_pipeline(n_estimators=200)

    print("\n4. Predict with the newest model.")
    inference_pipeline()

    print("\nWhat was kept:")
    for version in client.list_artifact_versions(sort="created"):
        print(f"   {version.name}@{version.version}".ljust(32) + f"{version.type}, {version.size:,} bytes")

    predictions = client.get_artifact_version("predictions")
    print(f"\n{predictions.load().head(3)}")
    print(f"\nWhere predictions@{predictions.version} comes from:\n{predictions.lineage()}")

    print(
        "\nWhere to look next (lineal is in .venv/bin):\n"
        "   lineal runs list\n"
        "   lineal artifact list\n"
        f"   lineal artifact versions {MODEL}\n"
        "   lineal lineage predictions\n"
        f"   lineal why {run.name}\n"
        "   change a line of code in examples/breast_cancer_features.py and run the example again"
    )


if __name__ == "__main__":
    main()
