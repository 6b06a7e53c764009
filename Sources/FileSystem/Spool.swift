import Synchronization
import SystemPackage
import Vocabulary

/// The local directory where what was written waits until the server has it.
///
/// A file in it is named `open-…` while it is in use. What could not be sent by the time its last handle was closed
/// becomes `unsent-…-<path>`, with a text beside it that says where it belongs and why it is here; nothing removes it.
final class Spool: Sendable {
    /// For copying: large enough that the calls do not count, small beside the cache.
    static let bufferSize = 256 << 10

    private let directory: FilePath
    private let bytes = Atomic<Int64>(0)

    init(directory: FilePath) {
        self.directory = directory
    }

    /// How many bytes the files in use reach over.
    var byteCount: Int64 { bytes.load(ordering: .relaxed) }

    /// A new empty file, readable by this user alone.
    func make() throws(StoreError) -> SpoolFile {
        let path = directory.appending("open-\(Self.randomHex())")
        do {
            let descriptor = try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            return SpoolFile(descriptor: descriptor, path: path, spool: self)
        } catch {
            throw StoreError(localDisk: error, "create \(path)")
        }
    }

    /// Keeps a file that could not be sent.
    ///
    /// - Returns: where it is.
    func keep(_ file: SpoolFile, of remote: RemotePath, _ content: String, because reason: StoreError) -> FilePath {
        let name = "unsent-\(Self.randomHex())-\(Self.fileName(of: remote))"
        let path = file.keep(as: name)
        let note = """
            path: \(remote)
            content: \(content)
            reason: \(reason)

            """
        do {
            let descriptor = try FileDescriptor.open(
                directory.appending("\(name).txt"), .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            try descriptor.closeAfter { _ = try descriptor.writeAll(note.utf8) }
        } catch {
            // The data is safe and the log names it; the note only helps.
        }
        return path
    }

    /// Keeps the gauge.
    func count(_ change: Int64) {
        bytes.wrappingAdd(change, ordering: .relaxed)
    }

    /// 16 hexadecimal digits that nobody else has.
    static func randomHex() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// A remote path as one local file name: what is not plain becomes `%XX`; of a long one, the end.
    private static func fileName(of path: RemotePath) -> String {
        let encoded = path.joined.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                return String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        // With the prefix and ".txt" this stays below the 255 bytes of a name.
        return String(encoded.joined().suffix(200))
    }
}
