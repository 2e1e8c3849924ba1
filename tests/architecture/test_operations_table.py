"""What can be asked of a metadata store over a wire is said in one place, for all of it."""

from lineal.metadata_store.operations import HERE, KINDS, operations, protocol_methods


def test_everything_of_the_protocol_has_its_place() -> None:
    """A method that is added to the protocol is listed in `KINDS` of metadata_store/operations.py, as what reads, writes or looks after,
    or in `HERE` when it belongs to the process that has the facts.
    """
    listed = [name for names in KINDS.values() for name in names.split()]
    assert sorted([*listed, *HERE]) == sorted(name for name, _ in protocol_methods())
    assert set(operations()) == set(listed)
