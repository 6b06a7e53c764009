import Vocabulary

/// What the mount shows of the symbolic links on the server.
package enum SymbolicLinks: Hashable, Sendable {
    /// Links that stay inside the mount work, wherever it is mounted; no other one is followed.
    case contain
    /// Links are shown as what they lead to on the server.
    case follow
    /// The target is shown as the server has it, and the kernel looks for it on this machine.
    case keep
}

/// Keeps a symbolic link inside the mount.
///
/// The kernel follows the links of a mount by itself, and on this machine: a server that says that a file is a link
/// to `/etc/passwd` would make `cat` show the local one, and `>` write to it. So a target is taken for what it means on
/// the server, and said anew as a path that cannot leave the mount:
///
/// - an absolute one below the directory that is mounted becomes relative to the link;
/// - a relative one stays as it is, as long as `..` occurs only in front and not more often than there are directories;
/// - `..` behind a name is resolved here, with the name in front of it: if that is itself a link, the kernel would go on
///   from where it leads, which may be nearer to the root of the mount, and end above it;
/// - everything else leads out of the mount.
///
/// The result depends on where the link is, so it is made whenever it is asked for: a directory that is renamed takes
/// its links along.
enum ContainedLink {
    /// What a path can have at most, in bytes: PATH_MAX of Linux, less the terminator.
    private static let maximumLength = 4095
    private static let slash = UInt8(ascii: "/")
    private static let here = [UInt8(ascii: ".")]
    private static let above = [UInt8(ascii: "."), UInt8(ascii: ".")]

    /// What a link shows.
    ///
    /// - Parameters:
    ///   - path: where the link is in the mount.
    ///   - base: the absolute path of the mounted directory on the server; `nil` when that is not known.
    /// - Returns: `nil` for a target outside of the mount, or one that is no path.
    static func target(_ target: [UInt8], ofLinkAt path: RemotePath, base: [UInt8]?) -> [UInt8]? {
        guard !target.isEmpty, target.count <= maximumLength, !target.contains(0) else { return nil }
        let directory = path.parent.components.map(\.bytes)
        let names = target.split(separator: slash).map(Array.init).filter { $0 != here }
        let root = base?.split(separator: slash).map(Array.init)
        let place: [[UInt8]]
        if target.first == slash {
            guard let root, let resolved = resolve(names, from: [], isRootItsParent: true),
                resolved.starts(with: root)
            else { return nil }
            place = Array(resolved.dropFirst(root.count))
        } else {
            // The root of the server, which this mount may be, is its own parent; the mount's is not.
            guard let resolved = resolve(names, from: directory, isRootItsParent: root == []) else { return nil }
            let ascent = names.prefix { $0 == above }.count
            if ascent <= directory.count, !names.dropFirst(ascent).contains(above) { return target }
            place = resolved
        }
        let common = zip(directory, place).prefix { $0 == $1 }.count
        let steps = Array(repeating: above, count: directory.count - common) + place.dropFirst(common)
        let shown = steps.isEmpty ? here : Array(steps.joined(separator: [slash]))
        return shown.count <= maximumLength ? shown : nil
    }

    /// Goes from a directory through names and `..`; `nil` when that leads above the root.
    private static func resolve(_ names: [[UInt8]], from start: [[UInt8]], isRootItsParent: Bool) -> [[UInt8]]? {
        var place = start
        for name in names {
            if name != above {
                place.append(name)
            } else if place.popLast() == nil, !isRootItsParent {
                return nil
            }
        }
        return place
    }
}
