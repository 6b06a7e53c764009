# Thousands of random operations give what they give on a local disk. A failure names its seed: SEED repeats it.
scenario() {
    mkdir reference
    seed="${SEED:-$RANDOM$RANDOM}"
    python3 "$(dirname "${BASH_SOURCE[0]}")/random_operations.py" "$MOUNT" "$SERVER" reference "$seed" "${OPERATIONS:-5000}"
}
