import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// What a mount takes for its work it gives back: threads, descriptors, spool files, and every count of its status. Built
    /// with a sanitizer, the process also says what memory it has lost, with an exit code that is not zero.
    ///
    /// `FTPFS_SOAK_SECONDS=600` works so long on each server, and with TLS too.
    @Suite(.timeLimit(.minutes(60))) struct Gauges {
        private static let seconds = getenv("FTPFS_SOAK_SECONDS").flatMap { Int(String(cString: $0)) }

        private static let security: [Endpoint.Security] = seconds == nil ? [.explicit] : [.off, .explicit]

        /// Programs that write, append, change, read, are killed while they read and write, and ask for what there is not.
        /// One round each, and more until the time is over.
        private static let work = """
            import os, random, subprocess, sys, threading, time
            top, end = os.environ["MOUNT"], time.monotonic() + float(os.environ["SECONDS"])
            errors = []
            def program(*words, **options): return subprocess.Popen(words, **options)
            def fails(call, *words):
                try: call(*words)
                except OSError: return
                errors.append(f"{call.__name__}{words} did not fail")
            def one_round(chance, own, number):
                path, data = f"{own}/f{number % 5}", chance.randbytes(chance.choice([0, 1, 5000, 70000, 1 << 20]))
                half = len(data) // 2
                with open(path, "wb") as file: file.write(data)
                with open(path, "ab") as file: file.write(b"more")
                with open(path, "r+b") as file: file.seek(half); file.write(b"x"); file.truncate(half + 1)
                with open(path, "rb") as file:
                    if file.read() != data[:half] + b"x": errors.append(f"{path} has something else")
                os.mkdir(f"{own}/d"); os.rename(path, f"{own}/d/g"); os.listdir(f"{own}/d")
                fails(os.stat, f"{own}/missing"); fails(os.rmdir, f"{own}/d"); fails(os.link, f"{own}/d/g", f"{own}/l")
                with open(f"{top}/big", "rb") as file:
                    for _ in range(3): file.seek(chance.randrange(4 << 20)); file.read(4096)
                reader = program("cat", f"{top}/big", stdout=subprocess.PIPE)
                reader.stdout.read(chance.choice([1, 100000])); reader.kill(); reader.wait(); reader.stdout.close()
                writer = program("cp", f"{top}/big", f"{own}/cut")
                time.sleep(chance.random() / 20); writer.kill(); writer.wait()
                os.unlink(f"{own}/d/g"); os.rmdir(f"{own}/d")
                if os.path.exists(f"{own}/cut"): os.unlink(f"{own}/cut")
            def work(number):
                try:
                    chance, own, rounds = random.Random(number), f"{top}/w{number}", 0
                    os.makedirs(own, exist_ok=True)
                    while rounds == 0 or time.monotonic() < end:
                        one_round(chance, own, rounds); rounds += 1
                except Exception as error: errors.append(f"{number}: {error!r}")
            threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            sys.exit("; ".join(errors) or None)
            """

        /// What there is of a process, but for connections, of which there may be more or fewer, and the threads of libfuse, which
        /// it keeps.
        private struct Holdings: CustomStringConvertible {
            var threads: [String: Int] = [:]
            var descriptors: [String: Int] = [:]
            var sockets = 0

            init(of process: Int32) {
                for entry in Self.names(in: "/proc/\(process)/task") {
                    let name = Files.text("/proc/\(process)/task/\(entry)/comm").filter { $0 != "\n" }
                    if name != "fuse worker" { threads[name, default: 0] += 1 }
                }
                for entry in Self.names(in: "/proc/\(process)/fd") {
                    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
                    let length = readlink("/proc/\(process)/fd/\(entry)", &buffer, buffer.count)
                    guard length > 0 else { continue }
                    let target = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
                    if target.hasPrefix("socket:") { sockets += 1 } else { descriptors[target, default: 0] += 1 }
                }
            }

            private static func names(in directory: String) -> [String] {
                guard let stream = opendir(directory) else { return [] }
                defer { closedir(stream) }
                var names: [String] = []
                while let entry = readdir(stream) {
                    let name = withUnsafePointer(to: &entry.pointee.d_name) {
                        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                    }
                    if !name.hasPrefix(".") { names.append(name) }
                }
                return names
            }

            /// Whether threads are there that end when they have had nothing to do for some seconds.
            var hasWorkers: Bool {
                threads.keys.contains { name in
                    ["ftp-pool", "ftpfs read", "ftpfs write", "ftpfs list", "ftpfs ahead", "ftpfs send"].contains(name)
                }
            }

            /// Whether nothing is there that was not there before.
            func isCovered(by before: Holdings, sockets limit: Int) -> Bool {
                threads.allSatisfy { $0.value <= before.threads[$0.key] ?? 0 }
                    && descriptors.allSatisfy { $0.value <= before.descriptors[$0.key] ?? 0 } && sockets <= limit
            }

            var description: String { "threads \(threads)\ndescriptors \(descriptors)\nsockets \(sockets)\n" }
        }

        @Test(arguments: TestServer.Kind.real, security)
        func `after mixed work everything is given back`(_ kind: TestServer.Kind, _ way: Endpoint.Security) throws {
            // given
            let server = try TestServer(kind, way)
            let given = try Shell.run(
                "cd \"$ROOT\" && head -c 5000000 /dev/urandom >big && chown --reference=. big", ["ROOT": server.root])
            try #require(given.succeeded, "\(given)")
            let connections = 2
            let mount = try MountedFileSystem(server, options: ["connections=\(connections)"])
            let isUp = waitUntil(within: .seconds(60)) { mount.log().contains(" is mounted on ") }
            try #require(isUp, "\(mount.log())")
            // The file for small contents is made with the first one, and stays as long as the mount.
            let first = try Shell.run("echo first >\"$MOUNT/first\" && rm \"$MOUNT/first\"", ["MOUNT": mount.path])
            try #require(first.succeeded, "\(first)")
            let isIdle = waitUntil(within: .seconds(60)) { !Holdings(of: mount.pid).hasWorkers }
            let before = Holdings(of: mount.pid)
            try #require(isIdle, "\(before)")

            // when
            let seconds = Self.seconds ?? 0
            let outcome = try Shell.run(
                ["python3", "-c", Self.work], ["MOUNT": mount.path, "SECONDS": String(seconds)],
                timeout: .seconds(seconds + 600))
            #expect(outcome.succeeded, "\(outcome)\(mount.log().suffix(10_000))")

            // then: idle threads end after seconds, and each connection may have the next data connection beside it.
            let isGivenBack = waitUntil(within: .seconds(60)) {
                Holdings(of: mount.pid).isCovered(by: before, sockets: before.sockets + 2 * connections)
            }
            #expect(isGivenBack, "before:\n\(before)after:\n\(Holdings(of: mount.pid))")
            let status = try Shell.run([Repository.program, "status", "--json", mount.path])
            #expect(status.succeeded, "\(status)")
            for gauge in ["handles", "streams", "spool_bytes"] {
                #expect(status.output.contains("\"\(gauge)\": 0,"), "\(gauge) in \(status)")
            }
            #expect(status.output.contains("\"uploads\": [],"), "\(status)")
            #expect(try mount.unmount() == .code(0), "\(mount.log().suffix(10_000))")
        }
    }
}
