import Vocabulary

/// One command of a client, as a value that cannot break out of its line (RFC 959 §5.3).
///
/// Arguments are bytes; a CR, LF or NUL in one makes ``wire`` throw, so that no name and no password can smuggle in a
/// second command. What is secret is not in ``description``.
package struct Command: Hashable, Sendable {
    /// The verb: upper-case letters, for `SITE` sub-commands `SITE CHMOD` and the like.
    package let verb: String
    /// What follows the verb behind one blank; `nil` for none.
    package let argument: [UInt8]?
    /// Whether the argument must not be seen in a log.
    package let isSecret: Bool

    /// The commands whose argument is a secret, whatever their maker says.
    private static let secretVerbs: Set<String> = ["PASS", "ACCT"]

    /// A command with its argument as bytes. That of `PASS` and `ACCT` is always secret.
    package init(_ verb: String, _ argument: [UInt8]? = nil, isSecret: Bool = false) {
        self.verb = verb
        self.argument = argument
        self.isSecret = isSecret || Self.secretVerbs.contains(verb)
    }

    /// A command with its argument as text.
    package init(_ verb: String, _ argument: String) {
        self.init(verb, Array(argument.utf8))
    }

    /// The argument holds a byte that would end the command.
    package struct Unsendable: Error, Hashable, Sendable {
        package let verb: String
    }

    /// The bytes of the line, with CR LF.
    ///
    /// - Throws: ``Unsendable`` when the argument holds CR, LF or NUL.
    package var wire: [UInt8] {
        get throws(Unsendable) {
            var line = Array(verb.utf8)
            if let argument {
                for byte in argument where byte == 0x0D || byte == 0x0A || byte == 0x00 {
                    throw Unsendable(verb: verb)
                }
                line.append(0x20)
                line += argument
            }
            line += [0x0D, 0x0A]
            return line
        }
    }
}

extension Command: CustomStringConvertible {
    /// The line for a log: a secret argument is shown as `****`.
    package var description: String {
        guard let argument else { return verb }
        return isSecret ? "\(verb) ****" : "\(verb) \(printable(argument))"
    }
}
