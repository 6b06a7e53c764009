# What POSIX and Linux promise of files holds: a table of small cases, each first tried on the local memory disk. Where a
# mount differs, the table in posix_behaviour.py says so, and why.
scenario() { python3 "$(dirname "${BASH_SOURCE[0]}")/posix_behaviour.py" "$MOUNT" "$SCRATCH"; }
