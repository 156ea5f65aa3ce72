"""Ports are chosen before their servers listen, so none may be chosen twice meanwhile."""

from deploy.local.ports import free_port, is_free


def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
    assert all(is_free(port) for port in ports)
