/// One reply of a server on the control connection (RFC 959 §4.2).
package struct Reply: Hashable, Sendable {
    /// The three-digit code, 100...599.
    package let code: UInt16
    /// The text of each line without the code, the separator and the line end. At least one line.
    package let lines: [[UInt8]]

    /// A reply with the given lines.
    package init(code: UInt16, lines: [[UInt8]]) {
        self.code = code
        self.lines = lines
    }

    /// What the first digit of a code means (RFC 959 §4.2.1).
    package enum Category: Hashable, Sendable {
        /// 1yz: the action has begun; another reply follows.
        case preliminary
        /// 2yz: done.
        case completion
        /// 3yz: the server waits for the next command of a sequence.
        case intermediate
        /// 4yz: not done; the same may work later.
        case transientNegative
        /// 5yz: not done; the same will not work.
        case permanentNegative
    }

    /// What the first digit of the code means.
    package var category: Category {
        switch code / 100 {
        case 1: .preliminary
        case 2: .completion
        case 3: .intermediate
        case 4: .transientNegative
        default: .permanentNegative
        }
    }

    /// The text of the last line: where servers put what matters.
    package var text: [UInt8] { lines.last ?? [] }
}
