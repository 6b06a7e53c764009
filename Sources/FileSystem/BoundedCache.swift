/// A dictionary with a bound on the sum of its values' costs; what has not been used for longest goes first.
///
/// Every use stamps a slot with a counter. When the bound is passed, the slots are sorted by stamp and an eighth of the
/// bound is freed at once, so that the sort is paid once per many insertions and a use costs one dictionary access.
/// Not thread-safe: it lives inside its owner's monitor.
struct BoundedCache<Key: Hashable, Value> {
    private struct Slot {
        var value: Value
        var cost: Int
        var lastUse: UInt64
    }

    private var slots: [Key: Slot] = [:]
    private var uses: UInt64 = 0
    /// The bound on ``cost``.
    let limit: Int
    /// The sum of the costs of all values.
    private(set) var cost = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// How many values there are.
    var count: Int { slots.count }

    /// The value of a key, which counts as a use.
    mutating func use(_ key: Key) -> Value? {
        uses += 1
        slots[key]?.lastUse = uses
        return slots[key]?.value
    }

    /// The value of a key, without a use.
    func peek(_ key: Key) -> Value? { slots[key]?.value }

    /// Puts a value in, in place of another one of that key. May pass the bound: see ``trim(mayEvict:)``.
    mutating func insert(_ value: Value, for key: Key, cost: Int) {
        remove(key)
        uses += 1
        slots[key] = Slot(value: value, cost: cost, lastUse: uses)
        self.cost += cost
    }

    /// Changes a value in place, which counts as a use; `nil` when there is none.
    @discardableResult
    mutating func update<Result>(
        _ key: Key, cost newCost: (Value) -> Int, _ body: (inout Value) -> Result
    ) -> Result? {
        guard let index = slots.index(forKey: key) else { return nil }
        uses += 1
        slots.values[index].lastUse = uses
        // In place: the dictionary inside a value is not copied.
        let result = body(&slots.values[index].value)
        let now = newCost(slots.values[index].value)
        cost += now - slots.values[index].cost
        slots.values[index].cost = now
        return result
    }

    /// Takes a value out.
    mutating func remove(_ key: Key) {
        guard let slot = slots.removeValue(forKey: key) else { return }
        cost -= slot.cost
    }

    /// Takes everything out.
    mutating func removeAll() {
        slots = [:]
        cost = 0
    }

    /// When the bound is passed, takes out what was used longest ago until an eighth of the bound is free. What was
    /// used last stays, however large: somebody has it in hand.
    mutating func trim(mayEvict: (Value) -> Bool) {
        guard cost > limit else { return }
        let goal = limit - limit / 8
        for (key, slot) in slots.sorted(by: { $0.value.lastUse < $1.value.lastUse }).dropLast() {
            if cost <= goal { return }
            if mayEvict(slot.value) { remove(key) }
        }
    }
}
