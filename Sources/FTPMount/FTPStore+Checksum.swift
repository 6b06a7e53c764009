import FTPClient
package import FileSystem
package import Threading
package import Vocabulary

extension FTPStore {
    package func checksum(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) -> [UInt8]? {
        do throws(FTPError) {
            return try client.checksum(path, cancellation: cancellation)
        } catch {
            throw StoreError(error)
        }
    }
}
