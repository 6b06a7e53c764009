"""Every run's figures, for programs."""

import os
import platform
import time

from .summary import best_other, of_limit, ratio


def record(title, network, options, tools, rows):
    """What `--json` writes. Times in seconds, memory and traffic in bytes; failed runs have only `failure`."""
    return {
        "title": title,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "load": os.getloadavg()[0],
            "architecture": platform.machine(),
        },
        "server": options.server,
        "link": {"rtt": network.rtt, "bits_per_second": network.rate},
        "tools": {tool.name: tool.version for tool in tools},
        "works": [
            {
                "title": work.title,
                "amount": dict([work.amount]) if work.amount else None,
                "best_other_by_ftpfs": ratio(row, best_other(row)),
                "curl_by_ftpfs": of_limit(row),
                "tools": {name: tool_record(cell) for name, cell in row.items()},
            }
            for work, row in rows
        ],
    }


def tool_record(cell):
    if cell.failure:
        return {"failure": cell.failure}
    least, most = cell.range("seconds")
    return {
        "median": cell.median("seconds"),
        "min": least,
        "max": most,
        "runs": [run_record(outcome) for outcome in cell.outcomes],
    }


def run_record(outcome):
    fields = dict(vars(outcome), peak=outcome.peak * 1024)
    del fields["failure"]
    return fields
