import FTPProtocol

/// A file of the time zone database, and the rule in its last line: offsets that a clock can have, for any moment.
@Sendable func fuzzZones(_ file: [UInt8]) {
    // The rule alone too, since a file that is right around it is not soon guessed: two blocks with one type, UTC, each.
    var block = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 39 + 6)
    block[39] = 1
    let withRule = block + block + [0x0A] + file + [0x0A]
    for zone in [ZoneRules(parsing: file), ZoneRules(parsing: withRule)].compactMap(\.self) {
        for moment: Int64 in [0, .min, .max, -1, 1 << 31, -1 << 31, 1_700_000_000, 253_402_300_799, -62_167_219_200] {
            require(abs(zone.offset(at: moment)) < 90_000, "an offset of more than a day at \(moment)")
            require(abs(zone.offset(atLocal: moment)) < 90_000, "an offset of more than a day at local \(moment)")
        }
    }
}
