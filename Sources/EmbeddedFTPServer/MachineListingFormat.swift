internal import Vocabulary

/// Which facts MLSD and MLST give (RFC 3659 §7.5), and how a product writes those that the RFC leaves open.
package struct MachineListingFormat: Hashable, Sendable {
    /// One fact.
    package enum Fact: String, Hashable, Sendable, CaseIterable {
        case modify
        case perm
        case size
        /// The size of a directory as Pure-FTPd names it.
        case sizd
        case type
        case unique
        case unixGroup = "UNIX.group"
        case unixGroupName = "UNIX.groupname"
        case unixMode = "UNIX.mode"
        case unixOwner = "UNIX.owner"
        case unixOwnerName = "UNIX.ownername"
        case unixUID = "UNIX.uid"
        case unixGID = "UNIX.gid"
    }

    /// What the fact `type` of a symbolic link is.
    package enum LinkType: Hashable, Sendable {
        /// `OS.unix=symlink` (ProFTPD).
        case symlink
        /// `OS.unix=slink:` without the target (Pure-FTPd).
        case slink
        /// `OS.unix=slink:target`, the example of RFC 3659 §7.5.1.1.
        case slinkWithTarget
        /// The type, and the other facts, of what the link points to.
        case target
    }

    /// The facts in the order in which they are written.
    package var facts: [Fact]
    package var linkType: LinkType

    package init(facts: [Fact], linkType: LinkType) {
        self.facts = facts
        self.linkType = linkType
    }

    /// What RFC 3659 asks for and no more.
    package static let plain = MachineListingFormat(facts: [.type, .size, .modify], linkType: .slinkWithTarget)

    /// The facts of one entry and its name, without the line end.
    ///
    /// - Parameter type: `cdir` or `pdir` where the entry is not just a thing in the listed directory.
    func line(_ entry: StorageEntry, facts chosen: [Fact], type: String? = nil) -> [UInt8] {
        var line = ""
        for fact in chosen {
            guard let value = value(of: fact, entry, type) else { continue }
            line += "\(fact.rawValue)=\(value);"
        }
        // A target of arbitrary bytes cannot go through a String.
        var bytes = Array(line.utf8)
        if linkType == .slinkWithTarget, entry.attributes.kind == .symbolicLink, let target = entry.linkTarget,
            let place = bytes.firstRange(of: Self.slink)
        {
            bytes.insert(contentsOf: target, at: place.upperBound)
        }
        return bytes + [0x20] + entry.name
    }

    private static let slink = Array("OS.unix=slink:".utf8)

    private func value(of fact: Fact, _ entry: StorageEntry, _ type: String?) -> String? {
        let attributes = entry.attributes
        let isDirectory = attributes.kind == .directory
        switch fact {
        case .type: return type ?? typeName(attributes.kind)
        case .size: return isDirectory ? nil : String(attributes.size)
        case .sizd: return isDirectory ? String(attributes.size) : nil
        case .modify: return CivilTime(attributes.modified).digits
        case .perm: return isDirectory ? "flcdmpe" : "adfrw"
        case .unixMode: return "0" + String(attributes.mode & 0o7777, radix: 8)
        case .unixOwner, .unixUID: return String(attributes.owner)
        case .unixGroup, .unixGID: return String(attributes.group)
        case .unixOwnerName, .unixGroupName: return "ftp"
        case .unique: return String(Self.hash(entry.name), radix: 16)
        }
    }

    private func typeName(_ kind: StorageAttributes.Kind) -> String {
        switch kind {
        case .file: return "file"
        case .directory: return "dir"
        case .special: return "OS.unix=chr"
        case .symbolicLink:
            switch linkType {
            case .symlink: return "OS.unix=symlink"
            case .slink, .slinkWithTarget: return "OS.unix=slink:"
            case .target: return "file"
            }
        }
    }

    /// FNV-1a: something that differs from name to name, for `unique`.
    private static func hash(_ name: [UInt8]) -> UInt64 {
        name.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension Array where Element == UInt8 {
    /// Where `part` occurs first.
    fileprivate func firstRange(of part: [UInt8]) -> Range<Int>? {
        guard part.count <= count else { return nil }
        for start in 0...(count - part.count) where self[start..<(start + part.count)].elementsEqual(part) {
            return start..<(start + part.count)
        }
        return nil
    }
}
