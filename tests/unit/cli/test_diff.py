"""`lineal artifact diff`."""


def test_two_versions_are_compared(lineal, trained: list[str]) -> None:
    """By NAME@VERSION, NAME alone being the newest."""
    result = lineal("artifact", "diff", "model@1", "model")
    assert result.code == 0
    assert result.out.splitlines()[0] == "model@1 → model@2: 1 difference, the first at value['weight']"
    assert "  first at model@1 → model@2 (step train): parameter `rate` 0.5 -> 0.7" in result.out.splitlines()


def test_the_json_says_the_same_to_programs(lineal, trained: list[str]) -> None:
    """With what differs in values, metadata and lineage."""
    found = lineal("artifact", "diff", "model@1", "model@2", "--json").json
    assert sorted(found) == ["lineage", "metadata", "not_compared", "one", "other", "same", "summary", "values"]
    assert found["values"]["changes"][0]["path"] == "value['weight']"
    assert found["lineage"][0]["because"] == ["parameter `rate` 0.5 -> 0.7"]


def test_a_key_that_does_not_fit_and_a_version_that_is_not_there_are_errors(lineal, trained: list[str]) -> None:
    """Each with its exit code."""
    assert lineal("artifact", "diff", "model@1", "model@2", "--key", "id").code == 2
    assert lineal("artifact", "diff", "model@1", "model@9").code == 3
