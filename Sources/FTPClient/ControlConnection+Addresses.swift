import SystemPackage

/// Where a control connection's ends are.
extension ControlConnection {
    /// The other end's address, to which data connections go too: the server's, or that of the proxy.
    func peer() throws(FTPError) -> SocketAddress { try address(SocketAddress.peer(of:)) }

    /// This end's address.
    func local() throws(FTPError) -> SocketAddress { try address(SocketAddress.local(of:)) }

    /// A socket that was reset has no address any more, and this may be the first to notice: without an end here, the
    /// connection would be taken for a good one again and again.
    private func address(
        _ body: (FileDescriptor) throws(FTPError) -> SocketAddress
    ) throws(FTPError) -> SocketAddress {
        if let failure { throw failure }
        do throws(FTPError) {
            return try body(descriptor)
        } catch {
            fail(error)
            throw error
        }
    }
}
