/// The command `ftpfs refresh`.
package enum RefreshCommand {
    /// A million names take some seconds; and the kernel may have to wait for a request that is under way.
    private static let patience = Duration.seconds(60)

    /// Makes the mount look anew at a place and all that is below it. Blocks for a moment.
    package static func run(_ path: String, program: String) -> ExitCode {
        CommandOutput.run(program) { output throws(MountFailure) in
            let place = try MountedPlace(containing: path)
            do throws(ControlClient.Failure) {
                _ = try place.client.ask(.refresh(place.inside), within: patience)
            } catch {
                throw error.failure(at: place)
            }
            return .success
        }
    }
}

/// The command `ftpfs flush`.
package enum FlushCommand {
    /// Sends what the server lacks, and waits for it.
    ///
    /// - Returns: success when all has arrived.
    package static func run(_ path: String, program: String) -> ExitCode {
        CommandOutput.run(program) { output throws(MountFailure) in
            let unsent = try flush(try MountedPlace.mount(at: path))
            output.complain(about: unsent)
            return unsent.isEmpty ? .success : .mountFailed
        }
    }

    /// Blocks until all is sent, or has failed.
    ///
    /// - Returns: what could not be sent.
    static func flush(_ place: MountedPlace) throws(MountFailure) -> [ControlMessage.Unsent] {
        let client = place.client
        var progress = UploadProgress()
        do throws(ControlClient.Failure) {
            let question = try ControlClient.Question(.flush, of: client)
            return ControlMessage.unsent(in: try progress.wait(for: question, of: client)) ?? []
        } catch {
            throw error.failure(at: place)
        }
    }
}
