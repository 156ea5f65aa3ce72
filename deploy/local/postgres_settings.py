"""How the local Postgres is configured."""

from pathlib import Path


def settings(*, socket_folder: Path, port: int, listen: str, fsync: bool) -> dict[str, str]:
    """Return the server's settings, for a machine that runs everything else as well.

    `fsync=False` gives up safety against a power cut, for the speed of tests.
    """
    safety = "on" if fsync else "off"
    return {
        "listen_addresses": listen,
        "port": str(port),
        "unix_socket_directories": str(socket_folder),
        "max_connections": "100",
        "shared_buffers": "128MB",
        "effective_cache_size": "512MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "64MB",
        "random_page_cost": "1.1",
        # Small, indexed statements: planning for parallel workers or jit only costs.
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "fsync": safety,
        "full_page_writes": safety,
        "synchronous_commit": "on",
        # Nobody replicates this server, so the log needs only what recovery needs.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "wal_buffers": "16MB",
        "max_wal_size": "512MB",
        "checkpoint_timeout": "10min",
        "checkpoint_completion_target": "0.9",
        # Rows that wait for their time are updated all the time: clean up early and often.
        "autovacuum_naptime": "10s",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_vacuum_insert_scale_factor": "0.1",
        "autovacuum_analyze_scale_factor": "0.05",
        "idle_in_transaction_session_timeout": "60s",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Failed statements are told by the service whose they were.
        "log_min_messages": "log",
        "log_line_prefix": "",
        "log_checkpoints": "off",
    }
