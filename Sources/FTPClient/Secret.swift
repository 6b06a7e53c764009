@preconcurrency import Glibc

/// A password: it never shows in a log or a message, and its bytes are wiped when the last reference goes.
///
/// Copies that the bytes make on their way to the socket are short-lived; this is about what stays.
package final class Secret: @unchecked Sendable {
    // Written in `init` and `deinit` only; that is what makes `@unchecked Sendable` true.
    private let storage: UnsafeMutableBufferPointer<UInt8>

    /// Takes the bytes of a password.
    package init(_ bytes: [UInt8]) {
        storage = .allocate(capacity: bytes.count)
        _ = storage.initialize(from: bytes)
    }

    /// Takes the UTF-8 bytes of a password.
    package convenience init(_ text: String) {
        self.init(Array(text.utf8))
    }

    deinit {
        // A plain assignment that nobody reads may be left out by the compiler; this call may not.
        if let start = storage.baseAddress { explicit_bzero(start, storage.count) }
        storage.deallocate()
    }

    /// The bytes, for the command that needs them.
    package var bytes: [UInt8] { Array(storage) }

    /// Whether there is no byte.
    package var isEmpty: Bool { storage.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `****`, whatever the password is.
    package var description: String { "****" }
    /// `****`, whatever the password is.
    package var debugDescription: String { "****" }
    /// Nothing: `dump` shows no bytes.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
