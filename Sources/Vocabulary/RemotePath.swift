/// A place below the root of the mount, as a list of names. The root has none.
///
/// Paths are built from validated names, so no path can leave the mount. How it is written on the wire (relative to
/// which directory, absolute or not) is the client's business.
package struct RemotePath: Hashable, Sendable {
    /// The names on the way from the root, outermost first.
    package let components: [FileName]

    /// The directory that is mounted.
    package static let root = RemotePath([])

    /// A path through the given names.
    package init(_ components: [FileName]) {
        self.components = components
    }

    /// Whether this is the directory that is mounted.
    package var isRoot: Bool { components.isEmpty }

    /// The last name; `nil` for the root.
    package var name: FileName? { components.last }

    /// The directory that holds this; the root is its own parent.
    package var parent: RemotePath { RemotePath(components.dropLast()) }

    /// The entry `name` in this directory.
    package func appending(_ name: FileName) -> RemotePath {
        RemotePath(components + [name])
    }

    /// The names joined by `/`, without a leading one. Empty for the root.
    package var joined: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(components.reduce(0) { $0 + $1.bytes.count + 1 })
        for component in components {
            if !bytes.isEmpty { bytes.append(0x2F) }
            bytes += component.bytes
        }
        return bytes
    }

    private init(_ components: ArraySlice<FileName>) {
        self.components = Array(components)
    }
}

extension RemotePath: CustomStringConvertible {
    /// The path for a message, with a leading `/` that stands for the root of the mount.
    package var description: String { "/" + printable(joined) }
}
