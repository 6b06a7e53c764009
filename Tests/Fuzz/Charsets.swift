/// Names in the character sets of servers: every name comes back as it was, and is UTF-8 meanwhile.
@Sendable func fuzzCharsets(_ bytes: [UInt8]) {
    for charset in charsets {
        let local = charset.local(bytes)
        require(String(validating: local, as: UTF8.self) != nil, "\(charset.name): what is shown is not UTF-8")
        require(charset.wire(local) == bytes, "\(charset.name): it does not come back")
        require(local.count <= 4 * bytes.count, "\(charset.name): \(local.count) bytes of \(bytes.count)")
        for special: UInt8 in [0x00, 0x0A, 0x0D, 0x2F] where local.contains(special) {
            require(bytes.contains(special), "\(charset.name): byte \(special) is from nowhere")
        }
        // The other way: what a user types is sent as it will be shown, or not at all.
        if let wire = charset.wire(bytes) {
            require(charset.local(wire) == bytes, "\(charset.name): it is shown as something else")
        }
    }
}

/// One of each kind: one byte for each character, two, up to four, accents behind their letters.
private let charsets: [NameCharset] = ["KOI8-R", "GBK", "SHIFT_JIS", "BIG5-HKSCS", "EUC-JP", "GB18030", "CP1258"].map {
    guard let charset = try? NameCharset.named($0) else { fatalError("no character set \($0)") }
    return charset
}
