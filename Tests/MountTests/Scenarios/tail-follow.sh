# tail -f shows what is appended.
given() { echo begin >"$SERVER/log"; }

scenario() {
    tail -f -s 0.1 -n +1 "$MOUNT/log" >seen &
    local tail=$!
    trap 'kill $tail 2>/dev/null' EXIT
    eventually grep -q begin seen
    for number in 1 2 3; do
        echo "line $number" >>"$MOUNT/log"
        eventually grep -q "line $number" seen
    done
    kill "$tail"
    trap - EXIT
    same seen "$SERVER/log"
}
