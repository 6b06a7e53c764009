import FTPProtocol
import Threading
import Vocabulary

/// How fast bytes travel, over one connection.
///
/// A file is sent and read back; each time twice as large, until one takes long enough to count or is large enough.
extension ServerProbe {
    private static let smallestSize = 256 * 1024
    /// On a link so fast that this takes less than ``longEnough`` a more exact figure would help nobody.
    private static let largestSize = 64 * 1024 * 1024
    /// Beyond the slow start of TCP on any usual link.
    private static let longEnough = Duration.seconds(1)

    static let rateSteps: [Step] = [
        Step(section: .rate, key: "upload", title: "up", needsScratch: true) { (run) throws(FTPError) in
            try rate { (size) throws(FTPError) in try upload(size, run) }
        },
        Step(section: .rate, key: "download", title: "down", needsScratch: true) { (run) throws(FTPError) in
            // What is read is what the last upload left.
            let size = try run.session().status(of: try run.place("rate"), run.cancellation)?.size ?? 0
            let span = try measure { () throws(FTPError) in try download(run) }
            return .init(.number(bytesPerSecond(size, span), .bytesPerSecond))
        },
    ]

    private static func rate(_ transfer: (Int) throws(FTPError) -> Void) throws(FTPError) -> Finding.Outcome {
        var size = smallestSize
        while true {
            let span = try measure { () throws(FTPError) in try transfer(size) }
            if span >= longEnough || size >= largestSize {
                return .init(.number(bytesPerSecond(Int64(size), span), .bytesPerSecond))
            }
            size *= 2
        }
    }

    private static func measure(_ body: () throws(FTPError) -> Void) throws(FTPError) -> Duration {
        let start = Instant.now
        try body()
        return Instant.now.since(start)
    }

    private static func bytesPerSecond(_ count: Int64, _ span: Duration) -> Int64 {
        let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? 0 : product / max(1, span.wholeMicroseconds)
    }

    private static func upload(_ size: Int, _ run: ProbeRun) throws(FTPError) {
        // Bytes that no link compresses.
        var generator = SystemRandomNumberGenerator()
        let piece = (0..<smallestSize / 8).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
        let transfer = try run.session().openWrite(try run.place("rate"), .replace, run.cancellation)
        try run.finish(transfer) { () throws(FTPError) in
            for _ in 0..<(size / piece.count) { try run.send(piece, over: transfer) }
        }
    }

    private static func download(_ run: ProbeRun) throws(FTPError) {
        let transfer = try run.session().openRead(try run.place("rate"), at: 0, run.cancellation)
        try run.finish(transfer) { () throws(FTPError) in try run.receive(transfer, limit: largestSize) { _ in } }
    }
}
