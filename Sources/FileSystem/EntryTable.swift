import Threading
import Vocabulary

/// The entries of one directory: found by name, and in their order. No lock.
///
/// The order is the server's, then that of making. An entry keeps its place for as long as it exists, and the place of one
/// that was taken out stays empty: so a reader of the directory can hold the places as they are now (they are shared, not
/// copied) and come back to them by number, and so nothing is ever put in order.
struct EntryTable {
    typealias Entry = DirectoryRecord.Entry

    /// An entry and its name.
    struct Item: Sendable {
        let name: FileName
        var entry: Entry
    }

    /// In order; `nil` where something was taken out.
    private(set) var places: [Item?] = []
    private var indices: [FileName: Int] = [:]

    /// No entries.
    init() {}

    /// The entries of a listing, but for the names that are ftpfs's own business. Of several with one name, the first.
    ///
    /// - Parameter instant: when the listing was asked for.
    init(of listing: [RemoteEntry], askedAt instant: Instant) {
        places.reserveCapacity(listing.count)
        indices.reserveCapacity(listing.count)
        for item in listing where !TemporaryName.matches(item.name) {
            if let first = indices.updateValue(places.count, forKey: item.name) {
                indices[item.name] = first
                continue
            }
            let entry = Entry(attributes: item.attributes, origin: .server, seen: instant)
            places.append(Item(name: item.name, entry: entry))
        }
    }

    /// How many there are.
    var count: Int { indices.count }

    /// Whether there are none.
    var isEmpty: Bool { indices.isEmpty }

    /// The entry of a name. A new one comes behind all others; `nil` takes one out.
    subscript(name: FileName) -> Entry? {
        get { indices[name].flatMap { places[$0]?.entry } }
        set {
            switch (newValue, indices[name]) {
            case (let entry?, let index?):
                places[index]?.entry = entry
            case (let entry?, nil):
                indices[name] = places.count
                places.append(Item(name: name, entry: entry))
            case (nil, let index?):
                indices[name] = nil
                places[index] = nil
                closeGaps()
            case (nil, nil):
                break
            }
        }
    }

    /// The entry of a name that is probably still at a place: that costs less than to look for the name.
    func entry(of name: FileName, probablyAt place: Int) -> Entry? {
        if places.indices.contains(place), let item = places[place], item.name == name { return item.entry }
        return self[name]
    }

    /// Those that exist, in order.
    var items: some Sequence<Item> { places.lazy.compactMap { $0 } }

    /// Whether another table has the same names, of the same kinds.
    func hasSameKinds(as other: EntryTable) -> Bool {
        guard count == other.count else { return false }
        return places.enumerated().allSatisfy { place, item in
            guard let item else { return true }
            return other.entry(of: item.name, probablyAt: place)?.attributes.kind == item.entry.attributes.kind
        }
    }

    /// Empty places are closed when they are more than the others, which costs each that was taken out the same.
    private mutating func closeGaps() {
        guard places.count > 2 * indices.count + 64 else { return }
        places = Array(items)
        indices = Dictionary(minimumCapacity: places.count)
        for (index, item) in places.enumerated() {
            if let item { indices[item.name] = index }
        }
    }
}
