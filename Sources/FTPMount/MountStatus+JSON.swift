/// A status as JSON: the names are those that programs read (`ftpfs status --json`), so they stay as they are.
extension MountStatus {
    var json: JSON {
        .object([
            ("mount_point", .string(mountPoint)), ("source", .string(source)), ("state", .string(state.rawValue)),
            ("pid", .integer(process)), ("version", .string(version)), ("uptime_seconds", .integer(uptime)),
            ("read_only", .bool(isReadOnly)), ("options", .array(options.map(JSON.string))),
            ("server", server.json), ("connection_limit", .integer(connectionLimit)),
            ("connections", .array(connections.map(\.json))), ("waiting_for_connection", .integer(waiting)),
            ("received_bytes", .integer(received)), ("sent_bytes", .integer(sent)),
            ("unsent_files", .integer(uploadCount)), ("unsent_bytes", .integer(unsentBytes)),
            ("outage", outage?.json ?? .null), ("unanswered_requests", .integer(requestCount)),
            ("requests", .array(requests.map(\.json))),
            ("uploads", .array(uploads.map(\.json))), ("cache", cache.json), ("fault_count", .integer(faultTotal)),
            ("faults", .array(faults.map(\.json))), ("left_over_files", .integer(leftOverCount)),
            ("left_over_bytes", .integer(leftOverBytes)), ("left_overs", .array(leftOvers.map(\.json))),
            ("kept", kept.json),
        ])
    }

    /// Reads what ``json`` wrote; `nil` when something that is always there is missing.
    init?(json: JSON) {
        guard let mountPoint = json["mount_point"]?.stringValue, let source = json["source"]?.stringValue,
            let state = json["state"]?.stringValue.flatMap(State.init), let process = json["pid"]?.integerValue,
            let server = json["server"].flatMap(Server.init), let cache = json["cache"].flatMap(Cache.init)
        else { return nil }
        self.init(
            mountPoint: mountPoint, source: source, state: state, process: process,
            version: json.text("version") ?? "", uptime: json.count("uptime_seconds"),
            isReadOnly: json["read_only"]?.boolValue ?? false,
            options: json.list("options").compactMap(\.stringValue), server: server,
            connections: json.list("connections").compactMap(Connection.init),
            connectionLimit: json.count("connection_limit"), waiting: json.count("waiting_for_connection"),
            received: json.count("received_bytes"), sent: json.count("sent_bytes"),
            uploads: json.list("uploads").compactMap(Upload.init), uploadCount: json.count("unsent_files"),
            unsentBytes: json.count("unsent_bytes"), outage: json["outage"].flatMap(Outage.init),
            requestCount: json.count("unanswered_requests"),
            requests: json.list("requests").compactMap(Request.init), cache: cache,
            faults: json.list("faults").compactMap(FaultRing.Fault.init), faultTotal: json.count("fault_count"),
            leftOvers: json.list("left_overs").compactMap(LeftBehind.init),
            leftOverCount: json.count("left_over_files"), leftOverBytes: json.count("left_over_bytes"),
            kept: json["kept"].map(Kept.init) ?? Kept())
    }
}

extension MountStatus.Server {
    fileprivate var json: JSON {
        .object([
            ("greeting", .optional(greeting)), ("features", .array(features.map(JSON.string))),
            ("listing_command", .string(listingCommand)), ("data_command", .optional(dataCommand)),
            ("encryption", .optional(encryption)), ("tls_pin", .optional(pin)),
        ])
    }

    fileprivate init?(json: JSON) {
        self.init(
            greeting: json.text("greeting"), features: json.list("features").compactMap(\.stringValue),
            listingCommand: json.text("listing_command") ?? "", dataCommand: json.text("data_command"),
            encryption: json.text("encryption"), pin: json.text("tls_pin"))
    }
}

extension MountStatus.Connection {
    fileprivate var json: JSON {
        .object([
            ("id", .integer(id)), ("state", .string(state)), ("age_seconds", .optional(age)), ("ahead", .bool(isAhead)),
            ("command", .optional(command)), ("path", .optional(path)), ("bytes", .integer(bytes)),
            ("total_bytes", .optional(total)), ("bytes_per_second", .optional(rate)), ("peer", .optional(peer)),
            ("encryption", .optional(encryption)),
        ])
    }

    fileprivate init?(json: JSON) {
        guard let id = json["id"]?.integerValue, let state = json.text("state") else { return nil }
        self.init(
            id: id, state: state, age: json["age_seconds"]?.integerValue, isAhead: json["ahead"]?.boolValue ?? false,
            command: json.text("command"), path: json.text("path"), bytes: json.count("bytes"),
            total: json["total_bytes"]?.integerValue, rate: json["bytes_per_second"]?.integerValue,
            peer: json.text("peer"), encryption: json.text("encryption"))
    }
}

extension MountStatus.Upload {
    fileprivate var json: JSON {
        .object([
            ("path", .string(path)), ("state", .string(state.rawValue)), ("done_bytes", .integer(done)),
            ("total_bytes", .integer(total)), ("reason", .optional(reason)), ("attempts", .optional(attempts)),
            ("retry_in_seconds", .optional(retryIn)),
        ])
    }

    fileprivate init?(json: JSON) {
        guard let path = json.text("path"), let state = json.text("state").flatMap(State.init) else { return nil }
        self.init(
            path: path, state: state, done: json.count("done_bytes"), total: json.count("total_bytes"),
            reason: json.text("reason"), attempts: json["attempts"]?.integerValue,
            retryIn: json["retry_in_seconds"]?.integerValue)
    }
}

extension MountStatus.Cache {
    fileprivate var json: JSON {
        .object([
            ("content_bytes", .integer(contentBytes)), ("content_limit_bytes", .integer(contentLimit)),
            ("names", .integer(names)), ("inodes", .integer(inodes)), ("handles", .integer(handles)),
            ("streams", .integer(streams)), ("spool_bytes", .integer(spoolBytes)),
            ("spool_limit_bytes", .optional(spoolLimit)), ("spool_directory", .string(spoolDirectory)),
        ])
    }

    fileprivate init?(json: JSON) {
        self.init(
            contentBytes: json.count("content_bytes"), contentLimit: json.count("content_limit_bytes"),
            names: json.count("names"), inodes: json.count("inodes"), handles: json.count("handles"),
            streams: json.count("streams"), spoolBytes: json.count("spool_bytes"),
            spoolLimit: json["spool_limit_bytes"]?.integerValue, spoolDirectory: json.text("spool_directory") ?? "")
    }
}

extension FaultRing.Fault {
    fileprivate var json: JSON {
        .object([
            ("time", .integer(time)), ("level", .string(level)), ("text", .string(text)),
            ("times", .integer(Int64(times))),
        ])
    }

    fileprivate init?(json: JSON) {
        guard let text = json.text("text") else { return nil }
        self.init(
            time: json.count("time"), level: json.text("level") ?? "", text: text,
            times: Int(clamping: max(1, json.count("times"))))
    }
}

extension JSON {
    fileprivate static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    fileprivate static func optional(_ number: Int64?) -> JSON { number.map(JSON.integer) ?? .null }

    fileprivate func text(_ name: String) -> String? { self[name]?.stringValue }
    fileprivate func count(_ name: String) -> Int64 { self[name]?.integerValue ?? 0 }
    fileprivate func list(_ name: String) -> [JSON] { self[name]?.arrayValue ?? [] }
}
