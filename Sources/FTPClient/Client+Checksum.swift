import FTPProtocol
package import Threading
package import Vocabulary

extension Client {
    /// A checksum of a file that the server counts, as `ALGORITHM:HEXADECIMAL`; `nil` where it cannot. One round trip, during
    /// which the server reads the file: a reply that takes longer than any reply may is an error.
    package func checksum(_ path: RemotePath, cancellation: Cancellation) throws(FTPError) -> [UInt8]? {
        try ask(cancellation) { (session) throws(FTPError) in try session.checksum(path, cancellation) }
    }
}

/// `HASH` (draft-bryan-ftpext-hash) names in `FEAT` what it can count, with `*` behind what it does unless told otherwise;
/// that is taken. The older commands each stand for one algorithm, and are there where `FEAT` says so (ProFTPD's mod_digest,
/// FileZilla Server, Serv-U, …). The first one of the table that the server has is asked.
extension Session {
    /// What people compare with most, then what cannot be forged, then what the server likes, then the rest. `nil`: the reply
    /// names the algorithm.
    private static let commands: [(verb: String, algorithm: String?)] = [
        ("XSHA256", "sha256"), ("XSHA512", "sha512"), ("HASH", nil), ("XSHA1", "sha1"), ("XSHA", "sha1"),
        ("XMD5", "md5"),
        ("XCRC", "crc32"),
    ]

    func checksum(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> [UInt8]? {
        guard let features = server.known.features else { return nil }
        let wire = try wirePath(path, cancellation)
        for command in Self.commands where features.contains(command.verb) {
            let reply = try exchange(Command(command.verb, wire), cancellation)
            // ProFTPD's older commands end at a blank in the name, and HASH does not.
            if reply.code == 501, wire.contains(0x20) { continue }
            guard reply.category == .completion else { return nil }
            return command.algorithm.map { ChecksumReply.parse(reply.text, algorithm: $0) }
                ?? ChecksumReply.parseHash(reply.text)
        }
        return nil
    }
}
