import TestSupport
import Testing

extension Mounts {
    /// A server that takes one connection of a client: everything works, nobody waits for ever, and nobody is starved.
    @Suite(.timeLimit(.minutes(10))) struct OneConnection {
        /// How many times each of the three programs goes on.
        static let rounds = 16
        /// What the reader and the writer take in one round: more than is read ahead, or kept back before it is sent.
        static let piece = 3 << 20

        /// Three programs in step: in each round one goes on reading a file, one goes on writing another, and one goes on to
        /// the next directory of its walk, all at the same time. Nobody goes on before all three have.
        static let programs = """
            import os, sys, multiprocessing

            mount, source, rounds, piece = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
            barrier = multiprocessing.Barrier(3)


            def read():
                with open(f"{mount}/read", "rb") as file, open(f"{source}/read", "rb") as truth:
                    for _ in range(rounds):
                        barrier.wait()
                        assert file.read(piece) == truth.read(piece), "read something else"
                    assert not file.read(1)


            def write():
                with open(f"{source}/write", "rb") as content, open(f"{mount}/written", "wb") as file:
                    for _ in range(rounds):
                        barrier.wait()
                        file.write(content.read(piece))


            def walk():
                for number in range(rounds):
                    barrier.wait()
                    entries = sorted(os.listdir(f"{mount}/tree/{number}"))
                    assert entries == ["a", "b"], entries
                    assert os.stat(f"{mount}/tree/{number}/a").st_size == 2


            programs = [multiprocessing.Process(target=body) for body in (read, write, walk)]
            for program in programs:
                program.start()
            for program in programs:
                program.join()
            sys.exit(max(abs(program.exitcode) for program in programs))
            """

        /// Whether a connection was made only when the one before had ended: on a busy machine one may be given up that does
        /// not come back to order in time.
        private static func hasOneAtATime(_ trace: CommandTrace) -> Bool {
            let numbers = trace.commands.filter { $0.verb != "QUIT" }.map(\.connection)
            return numbers == numbers.sorted()
        }

        @Test(arguments: TestServer.Kind.available)
        func `a reader, a writer and a walk go on together, and each gets its turn`(_ kind: TestServer.Kind) throws {
            let size = Self.rounds * Self.piece
            let mounted = try Mounted(
                kind,
                given: """
                    head -c \(size) /dev/urandom >read; head -c \(size) /dev/urandom >write
                    for i in $(seq 0 \(Self.rounds - 1)); do mkdir -p tree/$i; echo a >tree/$i/a; echo b >tree/$i/b; done
                    """,
                options: ["connections=1", "dir_ttl=600"])
            let directory = try TemporaryDirectory("programs")
            try Files.write(Self.programs, to: directory.path("programs.py"))

            let trace = try mounted.commands(
                while: """
                    python3 \(directory.path("programs.py")) "$PWD" "$OWN" \(Self.rounds) \(Self.piece)
                    cmp "$OWN/write" "$OWN/written"
                    """)

            #expect(Self.hasOneAtATime(trace), "\(trace)")
            // Each directory was listed, when nothing else had ended.
            let listings = ["MLSD", "LIST", "STAT"].reduce(0) { $0 + trace.count($1) }
            #expect(listings >= Self.rounds, "\(trace)")
            // In a round each of the two transfers gives way to the walk, and to the other, and is taken up again.
            let transfers = ["RETR", "STOR", "APPE"].reduce(0) { $0 + trace.count($1) }
            #expect(transfers <= 6 * Self.rounds, "\(trace)")
        }

        @Test(arguments: TestServer.Kind.available)
        func `the same as fast as each can`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(
                kind,
                given: """
                    head -c 48M /dev/urandom >read; head -c 48M /dev/urandom >write
                    for i in $(seq 60); do mkdir -p tree/$i; echo a >tree/$i/a; echo b >tree/$i/b; done
                    """,
                options: ["connections=1", "dir_ttl=600"])

            let trace = try mounted.commands(
                while: """
                    cmp read "$OWN/read" & reader=$!
                    cp "$OWN/write" written & writer=$!
                    test $(find tree -type f -size +0 | wc -l) = 120
                    wait $reader
                    wait $writer
                    cmp "$OWN/write" "$OWN/written"
                    """)

            // Between two directories of the walk the other two were each let on at most a few times.
            let verbs = trace.commands.map(\.verb)
            let isListing: (String) -> Bool = { ["MLSD", "LIST", "STAT"].contains($0) }
            let walk = verbs[(verbs.firstIndex(where: isListing) ?? 0)...(verbs.lastIndex(where: isListing) ?? 0)]
            let between = walk.split(whereSeparator: isListing).map { others in
                others.count { ["RETR", "STOR", "APPE"].contains($0) }
            }
            let longest = between.max() ?? 0
            #expect(Self.hasOneAtATime(trace), "\(trace)")
            #expect(longest <= 8, "\(longest) transfers in a row: \(trace)")
        }
    }
}
