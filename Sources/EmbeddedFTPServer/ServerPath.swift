internal import Vocabulary

/// A place in what the server serves: the names on the way from its root, as raw bytes.
///
/// Unlike `RemotePath` this one allows every byte but `/` and NUL in a name, because a server for tests has to offer
/// names that a careful client refuses. `.` and `..` never get in: they are resolved while reading, and `..` at the
/// root stays at the root, as in every server that locks its users into their directory.
package struct ServerPath: Hashable, Sendable {
    /// The names, outermost first. The root has none.
    package var components: [[UInt8]]

    /// The directory that is served.
    package static let root = ServerPath(components: [])

    /// A path through the given names.
    package init(components: [[UInt8]]) {
        self.components = components
    }

    /// Reads a path as FTP clients write it: absolute with a leading `/`, else relative to `directory`.
    package init(_ bytes: some Sequence<UInt8>, in directory: ServerPath = .root) {
        let bytes = Array(bytes)
        components = bytes.first == UInt8(ascii: "/") ? [] : directory.components
        for name in bytes.split(separator: UInt8(ascii: "/")) {
            switch Array(name) {
            case [UInt8(ascii: ".")]: continue
            case [UInt8(ascii: "."), UInt8(ascii: ".")]: components = components.dropLast()
            case let name: components.append(name)
            }
        }
    }

    /// The last name; `nil` for the root.
    package var name: [UInt8]? { components.last }

    /// The directory that holds this; the root is its own parent.
    package var parent: ServerPath { ServerPath(components: components.dropLast()) }

    /// The entry `name` in this directory.
    package func appending(_ name: [UInt8]) -> ServerPath {
        ServerPath(components: components + [name])
    }

    /// The names joined by `/`, without a leading one. Empty for the root.
    package var joined: [UInt8] { Array(components.joined(separator: [UInt8(ascii: "/")])) }

    /// The path as clients see it, from `/`.
    package var absolute: [UInt8] { [UInt8(ascii: "/")] + joined }
}

extension ServerPath: ExpressibleByStringLiteral {
    /// A path from the root, written as text: `"docs/readme.txt"`.
    package init(stringLiteral text: String) {
        self.init(text.utf8)
    }
}

extension ServerPath: CustomStringConvertible {
    /// The path for a message.
    package var description: String { printable(absolute) }
}
