import FTPProtocol
import Vocabulary

/// `MLSD`.
@Sendable func fuzzFacts(_ wire: [UInt8]) { check(wire, as: .machine) }

/// `LIST`, whatever the format.
@Sendable func fuzzText(_ wire: [UInt8]) { check(wire, as: .text) }

/// The lines of `LIST` in one format, and the listing of a server that is known to have it.
@Sendable func fuzzFormat(_ format: TextFormat, _ wire: [UInt8]) {
    for line in wire.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
        if let entry = format.parse(Array(line), now: now(for: wire)) { check(entry, from: Array(line)) }
    }
    let order = DateOrder(rawValue: Int(hash(wire) % 5))
    check(wire, as: .text, ListingStyle(format: format, dateOrder: order))
}

/// The input again and again, up to 64 KiB, to every parser: what is not linear in time exceeds libFuzzer's limit.
@Sendable func fuzzRepetition(_ wire: [UInt8]) {
    guard !wire.isEmpty else { return }
    var long: [UInt8] = []
    while long.count < 64 * 1024 { long += wire }
    for format in [ListingFormat.machine, .text] { _ = listing(in: [long], format, now(for: wire)) }
    _ = replies(in: [long])
    fuzzPassive(long)
    fuzzValues(long)
}

/// A moment that depends on the bytes: mostly one of our days, sometimes any.
private func now(for wire: [UInt8]) -> Timestamp {
    let number = hash(wire)
    if number % 16 == 0 { return Timestamp(seconds: Int64(bitPattern: number)) }
    return Timestamp(seconds: 1_718_452_800 + Int64(number % 400) * 86_400)
}

private func listing(
    in pieces: some Sequence<[UInt8]>, _ format: ListingFormat, _ now: Timestamp, _ style: ListingStyle? = nil
) -> Listing {
    var parser = ListingParser(format: format, now: now, style: style)
    for piece in pieces { parser.consume(piece) }
    return parser.finish()
}

private func check(_ wire: [UInt8], as format: ListingFormat, _ style: ListingStyle? = nil) {
    let now = now(for: wire)
    let whole = listing(in: [wire], format, now, style)
    let bytes = wire.lazy.map { [$0] }
    for other in [listing(in: Pieces(wire), format, now, style), listing(in: bytes, format, now, style)] {
        require(whole.entries == other.entries && whole.skipped == other.skipped, "pieces matter")
        require(whole.firstSkipped == other.firstSkipped, "pieces matter for the first skipped line")
        require(whole.currentDirectory == other.currentDirectory, "pieces matter for the directory")
        require(whole.style == other.style, "pieces matter for the style")
    }
    let lines = wire.reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
    require(whole.entries.count + whole.skipped <= lines, "more entries than lines")
    require(format == .text || whole.style == nil, "a style of MLSD")
    require(Set(whole.entries.map(\.name)).count == whole.entries.count, "a name twice")
    var total = 0
    for entry in whole.entries {
        check(entry, from: wire)
        total += entry.name.bytes.count + (entry.linkTarget?.count ?? 0)
    }
    // The period in a name that is put together takes the place of a blank.
    require(total <= wire.count, "more text than bytes")
}

/// What holds for every entry, whatever it was read from.
func check(_ entry: ListingEntry, from wire: [UInt8]) {
    let name = entry.name.bytes
    require(!name.isEmpty && name != [0x2E] && name != [0x2E, 0x2E] && name.count <= 255, "\(entry.name) is no name")
    require(!name.contains { [0, 0x0A, 0x0D, 0x2F].contains($0) }, "\(entry.name) is no name")
    // Names of z/VM are put together of two words.
    let halves = name.split(separator: 0x2E, maxSplits: 1, omittingEmptySubsequences: false)
    require(
        name.stand(in: wire) || (halves.count == 2 && halves.allSatisfy { $0.stand(in: wire) }),
        "\(entry.name) is from nowhere")
    require((entry.size ?? 0) >= 0 && (entry.mode ?? 0) <= 0o7777, "\(entry)")
    require(entry.kind == .symbolicLink || entry.linkTarget == nil, "a target of something that is no link")
    require(!(entry.linkTarget ?? []).contains { [0, 0x0A, 0x0D].contains($0) }, "a target that is no path")
    require((entry.modified?.nanoseconds ?? 0) < 1_000_000_000, "\(entry)")
}
