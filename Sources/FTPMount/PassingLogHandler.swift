import Logging

/// A handler that looks at records on their way to another one, which keeps the level and the metadata.
protocol PassingLogHandler: LogHandler {
    var inner: any LogHandler { get set }
}

extension PassingLogHandler {
    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }

    var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }
}
