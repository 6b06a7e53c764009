/// A status for Prometheus, in its text format (version 0.0.4), as `node_exporter`'s textfile collector reads it.
enum StatusMetrics {
    private struct Metric {
        let name: String
        let kind: String
        let help: String
        let value: @Sendable (MountStatus) -> [(labels: [(String, String)], value: Int64)]

        init(_ name: String, _ kind: String, _ help: String, _ value: @escaping @Sendable (MountStatus) -> Int64) {
            self.init(name, kind, help) { [([], value($0))] }
        }

        init(
            _ name: String, _ kind: String, _ help: String,
            each value: @escaping @Sendable (MountStatus) -> [(labels: [(String, String)], value: Int64)]
        ) {
            self.name = name
            self.kind = kind
            self.help = help
            self.value = value
        }
    }

    private static let metrics = [
        Metric("ftpfs_serving", "gauge", "1 while mounted, 0 while what is left is sent.") {
            $0.state == .serving ? 1 : 0
        },
        Metric("ftpfs_uptime_seconds", "gauge", "How long ago it was mounted.") { $0.uptime },
        Metric(
            "ftpfs_connections", "gauge", "Connections to the server by what they do.",
            each: { status in
                let states = Dictionary(grouping: status.connections, by: \.state)
                return states.sorted { $0.key < $1.key }.map { ([("state", $0.key)], Int64($0.value.count)) }
            }),
        Metric("ftpfs_connections_limit", "gauge", "How many connections there may be.") { $0.connectionLimit },
        Metric("ftpfs_waiting_requests", "gauge", "Requests that wait for a connection.") { $0.waiting },
        Metric("ftpfs_unanswered_requests", "gauge", "Requests of programs that have no answer yet.") {
            $0.requestCount
        },
        Metric("ftpfs_outage_seconds", "gauge", "For how long the server cannot be reached; 0 when it can.") {
            $0.outage.map { max(1, $0.span) } ?? 0
        },
        Metric("ftpfs_received_bytes_total", "counter", "Bytes of files read from the server.") { $0.received },
        Metric("ftpfs_sent_bytes_total", "counter", "Bytes of files written to the server.") { $0.sent },
        Metric("ftpfs_unsent_files", "gauge", "Files of which something is not on the server.") { $0.uploadCount },
        Metric("ftpfs_unsent_bytes", "gauge", "Bytes that are not on the server.") { $0.unsentBytes },
        Metric("ftpfs_cache_content_bytes", "gauge", "File content in memory.") { $0.cache.contentBytes },
        Metric("ftpfs_cache_content_limit_bytes", "gauge", "How much there may be.") { $0.cache.contentLimit },
        Metric("ftpfs_cache_names", "gauge", "Names of files that are known.") { $0.cache.names },
        Metric("ftpfs_inodes", "gauge", "Files and directories that the kernel holds.") { $0.cache.inodes },
        Metric("ftpfs_open_handles", "gauge", "Open files and directories.") { $0.cache.handles },
        Metric("ftpfs_spool_bytes", "gauge", "What is written and kept on the local disk.") { $0.cache.spoolBytes },
        Metric("ftpfs_faults_total", "counter", "Lines in the log of the level notice and above.") { $0.faultTotal },
    ]

    /// The text for some mounts, each with a label that tells its mount point.
    static func text(of mounts: [MountStatus]) -> String {
        var text = ""
        for metric in metrics {
            text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind)\n"
            for mount in mounts {
                for (labels, value) in metric.value(mount) {
                    let all = [("mount_point", mount.mountPoint)] + labels
                    let list = all.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
                    text += "\(metric.name){\(list)} \(value)\n"
                }
            }
        }
        return text
    }

    private static func escaped(_ text: String) -> String {
        text.flatMap { character -> String in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }.map(String.init).joined()
    }
}
