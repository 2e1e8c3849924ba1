"""Types to give from steps: text that shows itself, and visualizations that one's own materializer makes."""

from lineal.model.visualization import CSVString, HTMLString, JSONString, MarkdownString, Visualization

__all__ = ["CSVString", "HTMLString", "JSONString", "MarkdownString", "Visualization"]
