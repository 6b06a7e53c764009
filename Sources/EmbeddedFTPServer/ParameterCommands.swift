/// How and whence the next transfer goes.
enum ParameterCommands {
    static func type(_ session: Session, _ argument: [UInt8]) -> Answer {
        let fields: Answer.Fields = ["argument": Array(argument.prefix(1))]
        switch String(decoding: argument, as: UTF8.self).uppercased() {
        case "I", "L 8":
            session.isASCII = false
            return session.answer(.typeBinary, fields)
        case "A", "A N":
            session.isASCII = true
            return session.answer(.typeASCII, fields)
        default:
            return session.answer(.typeUnknown, ["argument": argument])
        }
    }

    static func mode(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(isLetter("S", argument) ? .modeSet : .modeUnknown, ["argument": argument])
    }

    static func stru(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.answer(isLetter("F", argument) ? .structureSet : .structureUnknown, ["argument": argument])
    }

    private static func isLetter(_ letter: String, _ argument: [UInt8]) -> Bool {
        String(decoding: argument, as: UTF8.self).uppercased() == letter
    }

    static func rest(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard let offset = number(argument) else {
            (session.restart, session.range) = (0, nil)
            return session.answer(.restartBad)
        }
        (session.restart, session.range) = (DataFaults.restart(session, offset), nil)
        return session.answer(.restartAt, ["argument": Array(String(offset).utf8)])
    }

    /// `RANG first last`, both counted; `RANG 1 0` takes the range back. For RETR and STOR. As ProFTPD 1.3.8 does it.
    static func rang(_ session: Session, _ argument: [UInt8]) -> Answer {
        let bounds = argument.split(separator: 0x20).map { number(Array($0)) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1] else {
            return session.answer(.rangeBad)
        }
        if (first, last) == (1, 0) {
            (session.restart, session.range) = (0, nil)
            return session.answer(.rangeReset)
        }
        guard first <= last, last < .max else { return session.answer(.rangeBad) }
        (session.restart, session.range) = (0, first...last)
        let count = Array(String(last - first + 1).utf8)
        return session.answer(.rangeSet, ["count": count, "first": Array(String(first).utf8)])
    }

    /// A number in digits that fits; nothing else.
    static func number(_ digits: [UInt8]) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    // MARK: Data connections

    static func pasv(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard !session.data.isIPv6 else { return session.answer(.passiveNeedsIPv4) }
        if let refusal = DataFaults.refusal(session) { return refusal }
        guard let address = session.data.listen(isRefusing: session.faults.refusesData) else {
            return session.answer(.dataConnectionFailed)
        }
        // 192.0.2.1 is for documentation (RFC 5737): nobody answers there.
        let host = session.faults.misleadsPassive ? [192, 0, 2, 1] : address.bytes
        let numbers = host + [UInt8(address.port >> 8), UInt8(address.port & 0xFF)]
        let text = numbers.map { String($0) }.joined(separator: ",")
        return session.answer(.passive, ["address": Array(text.utf8)])
    }

    static func epsv(_ session: Session, _ argument: [UInt8]) -> Answer {
        let spoken = session.data.isIPv6 ? "2" : "1"
        switch String(decoding: argument, as: UTF8.self).uppercased() {
        case "ALL": return session.answer(.extendedPassiveAll)
        case "", spoken: break
        default: return session.answer(.extendedPassiveBad, ["protocol": Array(spoken.utf8)])
        }
        if let refusal = DataFaults.refusal(session) { return refusal }
        guard let address = session.data.listen(isRefusing: session.faults.refusesData) else {
            return session.answer(.dataConnectionFailed)
        }
        return session.answer(.extendedPassive, ["port": Array(String(address.port).utf8)])
    }

    /// `h1,h2,h3,h4,p1,p2` (RFC 959 §4.1.2).
    static func port(_ session: Session, _ argument: [UInt8]) -> Answer {
        let numbers = argument.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .compactMap { part in number(Array(part)).flatMap { UInt8(exactly: $0) } }
        guard numbers.count == 6 else { return session.answer(.portRefused) }
        let host = numbers[..<4].map { String($0) }.joined(separator: ".")
        return set(session, host, UInt16(numbers[4]) << 8 | UInt16(numbers[5]), .portSet)
    }

    /// `|1|192.0.2.1|6275|` with any delimiter (RFC 2428 §2).
    static func eprt(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard let delimiter = argument.first else { return session.answer(.portRefused) }
        let parts = argument.split(separator: delimiter, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 5, let port = UInt16(parts[3]) else { return session.answer(.portRefused) }
        // A client cannot listen in a network that it did not come from.
        let spoken = session.data.isIPv6 ? "2" : "1"
        guard parts[1] == spoken else {
            return session.answer(.extendedPassiveBad, ["protocol": Array(spoken.utf8)])
        }
        return set(session, parts[2], port, .extendedPortSet)
    }

    private static func set(_ session: Session, _ host: String, _ port: UInt16, _ phrase: Phrase) -> Answer {
        guard let address = SocketAddress(host, port: port), session.data.set(address) else {
            return session.answer(.portRefused)
        }
        return session.answer(phrase)
    }
}
