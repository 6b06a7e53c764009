import FileSystem
import MemoryStore
import Testing
import Threading
import Vocabulary

/// Thousands of random operations, each done here and on a simple model of a local disk. Every result must be the same,
/// and in the end the server must hold what the model holds.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RandomTests {
    /// How the mount and the server are set up.
    enum Setting: CaseIterable, Sendable {
        case usual
        /// Nothing is taken as true for longer than a moment.
        case noTimeToLive
        /// Next to no memory for content.
        case tinyCache
        /// Much is asked for ahead of anybody's wish.
        case prefetch
        /// A server that replaces nothing, and knows little.
        case poorServer
        /// Files are sent some time after their close, or as soon as there is a thread for it.
        case sentLater
        case sentBehind

        var writeBack: WriteBackSettings? {
            guard self == .sentLater || self == .sentBehind else { return nil }
            var settings = WriteBackSettings()
            settings.delay = self == .sentLater ? .seconds(20) : .zero
            return settings
        }
    }

    // A failure names its seed; put it here to see it again.
    @Test(arguments: Setting.allCases, [1, 2, 3, 5_641_380_567_300_596_693, UInt64.random(in: 0...UInt64.max)])
    func `everything is as on a local disk`(setting: Setting, seed: UInt64) throws {
        try Fixture.run(
            writeBack: setting.writeBack,
            configure: { configuration in
                if setting == .noTimeToLive { configuration.dirTTL = .zero }
                if setting == .tinyCache { configuration.cacheSize = 300 << 10 }
                configuration.prefetch = setting == .prefetch
            }
        ) { (f) throws in
            if setting == .poorServer {
                f.store.configure {
                    $0.renameReplaces = false
                    $0.precision = .minute
                    $0.showsModes = false
                    $0.capabilities = StoreCapabilities(
                        setsModificationTime: false, setsMode: false, makesSymbolicLinks: false)
                }
            }
            var run = RandomRun(fixture: f, seed: seed)
            for step in 0..<1500 {
                try run.step()
                if run.hasFailed {
                    Issue.record("seed \(seed), step \(step): \(run.history.suffix(15).joined(separator: "\n"))")
                    break
                }
            }
            try run.finish()
        }
    }
}

/// A small generator whose whole state is its seed (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A file or directory of the model.
private final class ModelNode {
    let isDirectory: Bool
    var bytes: [UInt8] = []
    var children: [String: ModelNode] = [:]

    init(isDirectory: Bool) { self.isDirectory = isDirectory }

    func contains(_ node: ModelNode) -> Bool {
        self === node || children.values.contains { $0.contains(node) }
    }

    func resize(to size: Int) {
        if size < bytes.count { bytes.removeLast(bytes.count - size) }
        bytes += Array(repeating: 0, count: size - bytes.count)
    }
}

private struct RandomRun {
    struct Open {
        let handle: HandleID
        let node: ModelNode
        let flags: OpenFlags
    }

    let f: Fixture
    var generator: SeededGenerator
    let root = ModelNode(isDirectory: true)
    var opens: [Open] = []
    var history: [String] = []
    var hasFailed = false

    init(fixture: Fixture, seed: UInt64) {
        f = fixture
        generator = SeededGenerator(state: seed)
    }

    // MARK: - Choices

    private mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    private func directories(_ node: ModelNode, _ path: String) -> [(path: String, node: ModelNode)] {
        node.children.sorted { $0.key < $1.key }.reduce(into: [(path, node)]) { result, child in
            if child.value.isDirectory {
                result += directories(child.value, path.isEmpty ? child.key : "\(path)/\(child.key)")
            }
        }
    }

    /// Some name in some directory, taken or not.
    private mutating func place() -> (path: String, parent: ModelNode, name: String) {
        let all = directories(root, "").filter { $0.path.split(separator: "/").count < 3 }
        let (path, parent) = all[below(all.count)]
        let name = ["a", "b", "c", "d", "e f"][below(5)]
        return (path.isEmpty ? name : "\(path)/\(name)", parent, name)
    }

    private mutating func content() -> [UInt8] {
        let size = below(10) == 0 ? below(300_000) : below(60)
        let first = below(251)
        return (0..<size).map { UInt8((first + $0) % 251) }
    }

    private mutating func offset(in node: ModelNode) -> Int { below(node.bytes.count + 1 + below(100)) }

    // MARK: - Comparing

    private mutating func note(_ text: String) { history.append(text) }

    private mutating func expect(_ what: String, _ expected: StoreError.Kind?, _ body: () throws -> Void) {
        note(what)
        let kind = failure(body)
        if kind != expected {
            hasFailed = true
            Issue.record("\(what): \(String(describing: kind)), expected \(String(describing: expected))")
        }
    }

    // MARK: - Operations

    mutating func step() throws {
        switch below(24) {
        case 0...2: create()
        case 3...5: open()
        case 6...9: write()
        case 10...12: read()
        case 13...14: close()
        case 15: flush()
        case 16: resize()
        case 17: unlink()
        case 18: makeDirectory()
        case 19: removeDirectory()
        case 20...21: rename()
        case 22: try compareDirectory()
        default:
            if below(2) == 0 { try forget() } else { f.pass(.seconds(Int64(below(8)))) }
        }
    }

    private mutating func create() {
        let (path, parent, name) = place()
        let isExclusive = below(3) == 0
        var flags: OpenFlags = [.read, .write]
        if isExclusive { flags.insert(.exclusive) }
        if below(3) == 0 { flags.insert(.append) }
        if below(3) == 0 { flags.insert(.truncate) }
        let old = parent.children[name]
        let expected: StoreError.Kind? =
            old == nil ? nil : isExclusive ? .exists : old?.isDirectory == true ? .isDirectory : nil
        var handle: HandleID?
        expect("create \(path) \(flags.rawValue)", expected) { [f] in handle = try f.create(path, flags) }
        guard let handle else { return }
        let node = old ?? ModelNode(isDirectory: false)
        if flags.contains(.truncate) { node.bytes = [] }
        parent.children[name] = node
        opens.append(Open(handle: handle, node: node, flags: flags))
    }

    private mutating func open() {
        let (path, parent, name) = place()
        let choices: [OpenFlags] = [.read, .read, [.read, .write], [.write, .append], [.read, .write, .truncate]]
        let flags = choices[below(choices.count)]
        let node = parent.children[name]
        let expected: StoreError.Kind? = node == nil ? .notFound : node?.isDirectory == true ? .isDirectory : nil
        var handle: HandleID?
        expect("open \(path) \(flags.rawValue)", expected) { [f] in handle = try f.open(path, flags) }
        guard let handle, let node else { return }
        if flags.contains(.truncate) { node.bytes = [] }
        opens.append(Open(handle: handle, node: node, flags: flags))
    }

    private mutating func write() {
        guard !opens.isEmpty else { return }
        let open = opens[below(opens.count)]
        let offset = offset(in: open.node)
        let bytes = content()
        let expected: StoreError.Kind? = open.flags.contains(.write) ? nil : .badHandle
        expect("write \(open.handle.rawValue) at \(offset), \(bytes.count)", expected) { [f] in
            try f.write(open.handle, at: Int64(offset), bytes)
        }
        guard expected == nil, !bytes.isEmpty else { return }
        let place = open.flags.contains(.append) ? open.node.bytes.count : offset
        if place + bytes.count > open.node.bytes.count { open.node.resize(to: place + bytes.count) }
        open.node.bytes.replaceSubrange(place..<place + bytes.count, with: bytes)
    }

    private mutating func read() {
        guard !opens.isEmpty else { return }
        let open = opens[below(opens.count)]
        let offset = offset(in: open.node)
        let length = 1 + below(200_000)
        let wanted = Array(open.node.bytes.dropFirst(offset).prefix(length))
        let expected: StoreError.Kind? = open.flags.contains(.read) ? nil : .badHandle
        var got: [UInt8] = []
        expect("read \(open.handle.rawValue) at \(offset), \(length)", expected) { [f] in
            got = try f.read(open.handle, at: Int64(offset), length)
        }
        if expected == nil && got != wanted {
            hasFailed = true
            Issue.record("read \(got.count) bytes, expected \(wanted.count)")
        }
    }

    private mutating func close() {
        guard !opens.isEmpty else { return }
        let open = opens.remove(at: below(opens.count))
        expect("close \(open.handle.rawValue)", nil) { [f] in try f.close(open.handle) }
    }

    private mutating func flush() {
        guard !opens.isEmpty else { return }
        let open = opens[below(opens.count)]
        expect("fsync \(open.handle.rawValue)", nil) { [f] in try f.fileSystem.fsync(open.handle, request()) }
    }

    private mutating func resize() {
        let (path, parent, name) = place()
        guard let node = parent.children[name], !node.isDirectory else { return }
        let size = below(3) == 0 ? 0 : offset(in: node)
        expect("truncate \(path) to \(size)", nil) { [f] in
            let shown = try f.change(path, AttributeChange(size: Int64(size)))
            if shown.size != size { throw StoreError(.protocolViolation, "size \(shown.size)") }
        }
        node.resize(to: size)
    }

    private mutating func unlink() {
        let (path, parent, name) = place()
        let node = parent.children[name]
        let expected: StoreError.Kind? = node == nil ? .notFound : node?.isDirectory == true ? .isDirectory : nil
        expect("unlink \(path)", expected) { [f] in try f.unlink(path) }
        if expected == nil { parent.children[name] = nil }
    }

    private mutating func makeDirectory() {
        let (path, parent, name) = place()
        let expected: StoreError.Kind? = parent.children[name] == nil ? nil : .exists
        expect("mkdir \(path)", expected) { [f] in try f.mkdir(path) }
        if expected == nil { parent.children[name] = ModelNode(isDirectory: true) }
    }

    private mutating func removeDirectory() {
        let (path, parent, name) = place()
        let node = parent.children[name]
        let expected: StoreError.Kind? =
            switch (node, node?.isDirectory, node?.children.isEmpty) {
            case (nil, _, _): .notFound
            case (_, false, _): .notDirectory
            case (_, _, false): .notEmpty
            default: nil
            }
        expect("rmdir \(path)", expected) { [f] in try f.rmdir(path) }
        if expected == nil { parent.children[name] = nil }
    }

    private mutating func rename() {
        let (path, parent, name) = place()
        let (newPath, newParent, newName) = place()
        let isGentle = below(4) == 0
        let node = parent.children[name]
        let target = newParent.children[newName]
        let expected: StoreError.Kind? =
            if node == nil { .notFound } else if isGentle && target != nil { .exists } else if path == newPath {
                nil
            } else if node?.isDirectory == true && node?.contains(newParent) == true {
                .invalidArgument
            } else {
                switch (node?.isDirectory, target?.isDirectory) {
                case (true, false): .notDirectory
                case (false, true): .isDirectory
                case (true, true): target?.children.isEmpty == true ? nil : .notEmpty
                default: nil
                }
            }
        expect("rename \(path) to \(newPath)\(isGentle ? " gently" : "")", expected) { [f] in
            try f.rename(path, newPath, isGentle ? .noReplace : [])
        }
        guard expected == nil, path != newPath else { return }
        parent.children[name] = nil
        newParent.children[newName] = node
    }

    private mutating func forget() throws {
        let (path, parent, name) = place()
        guard parent.children[name] != nil else { return }
        note("forget \(path)")
        // More than were counted, as one must survive.
        f.fileSystem.forget(try f.inode(path), count: 1 << 20)
    }

    private mutating func compareDirectory() throws {
        let all = directories(root, "")
        let (path, node) = all[below(all.count)]
        try compare(node, path)
    }

    private mutating func compare(_ node: ModelNode, _ path: String) throws {
        note("ls \(path)")
        let names = try f.names(path).sorted()
        if names != node.children.keys.sorted() {
            hasFailed = true
            Issue.record("\(path): \(names), expected \(node.children.keys.sorted())")
            return
        }
        for (name, child) in node.children where !child.isDirectory {
            let size = try f.stat(path.isEmpty ? name : "\(path)/\(name)").size
            if size != child.bytes.count {
                hasFailed = true
                Issue.record("\(path)/\(name): size \(size), expected \(child.bytes.count)")
            }
        }
    }

    // MARK: - The end

    /// Closes everything, and compares the server with the model.
    mutating func finish() throws {
        for (path, node) in directories(root, "") where !hasFailed { try compare(node, path) }
        for open in opens { try f.close(open.handle) }
        opens = []
        #expect(f.fileSystem.waitForUploads(until: .after(.seconds(30))))
        if !hasFailed { compareServer(root, "") }
    }

    private func compareServer(_ node: ModelNode, _ path: String) {
        #expect(f.store.names(path).sorted() == node.children.keys.sorted(), "on the server, in '\(path)'")
        for (name, child) in node.children {
            let place = path.isEmpty ? name : "\(path)/\(name)"
            if child.isDirectory {
                compareServer(child, place)
            } else {
                #expect(f.store.content(place) == child.bytes, "on the server: \(place)")
            }
        }
    }
}
