import FTPClient
package import FileSystem
package import Threading

extension FTPStore {
    package func space(cancellation: Cancellation) throws(StoreError) -> RemoteSpace? {
        do throws(FTPError) {
            return try client.space(cancellation: cancellation).map { RemoteSpace(free: $0.free, total: $0.total) }
        } catch {
            throw StoreError(error)
        }
    }
}
