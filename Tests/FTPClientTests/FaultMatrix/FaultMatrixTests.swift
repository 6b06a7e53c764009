import EmbeddedFTPServer
import FTPClient
import TestSupport
import Testing
import Threading

/// Everything that the server is asked for, with everything that can go wrong: the program gets the right error or none, in
/// bounded time and with a bounded number of commands; the server has the old state or the new one; and afterwards
/// everything works, with nothing left over.
@Suite(.serialized, .timeLimit(.minutes(5 * patience)))
struct FaultMatrixTests {
    @Test(arguments: Fault.all)
    func `holds for every command of every operation`(_ fault: Fault) throws {
        let cells = Self.results.filter { $0.cell.fault.name == fault.name }
        #expect(!cells.isEmpty)
        for (cell, outcome) in cells {
            switch outcome {
            case .success(let outcome): #expect(outcome.wrong.isEmpty, "\(cell): \(outcome.wrong)")
            case .failure(let error): Issue.record("\(cell): \(error)")
            }
        }
    }

    @Test(arguments: FaultyOperation.all)
    func `holds on a server that does nothing wrong`(_ operation: FaultyOperation) throws {
        let (verbs, _) = try Self.undisturbed(operation)
        // Else the table would let a command fail that is never sent.
        for verb in operation.verbs where verb.first != "(" { #expect(verbs.contains(verb)) }
    }

    @Test func `has hundreds of cells`() {
        #expect(Self.cells.count > 1000)
    }

    // MARK: Running

    /// What the operation sends, and what is on the server then.
    private static func undisturbed(
        _ operation: FaultyOperation
    ) throws -> (verbs: [String], state: [String: FaultyMount.Thing]) {
        let mount = try FaultyMount(operation.setting, fill: operation.fill)
        try operation.prepare(mount)
        let mark = mount.server.transcript.mark
        try operation.run(mount)
        let (verbs, state) = (mount.server.transcript.since(mark).verbs, mount.snapshot())
        let left = mount.end()
        #expect(left.isEmpty, "\(left)")
        return (verbs, state)
    }

    /// All of them with nothing said ahead; and what must not be noticed also with all that is said ahead.
    private static let cells: [FaultCell] = FaultyOperation.all.flatMap { operation -> [FaultCell] in
        guard let wanted = try? undisturbed(operation).state else { return [] }
        var ahead = operation
        ahead.setting.pipelining = .automatic
        return operation.verbs.flatMap { verb in
            Fault.all.filter { $0.applies(to: verb) }.flatMap { fault in
                let cell = FaultCell(operation: operation, verb: verb, fault: fault, wanted: wanted)
                let again = FaultCell(operation: ahead, verb: verb, fault: fault, wanted: wanted)
                return fault.isLasting || fault.isSilence ? [cell] : [cell, again]
            }
        }
    }

    /// All at once, by some threads: most of the time is spent in waiting for servers that say nothing.
    private static let results: [(cell: FaultCell, outcome: Result<FaultCell.Outcome, any Error>)] = {
        let cells = Self.cells
        let state = Monitor((next: 0, results: [Int: Result<FaultCell.Outcome, any Error>]()))
        for _ in 0..<width {
            try? Thread.detached(named: "fault") {
                while true {
                    let index = state.withLock { state in
                        defer { state.next += 1 }
                        return state.next
                    }
                    guard index < cells.count else { return }
                    let result = Result { try cells[index].run() }
                    state.withLockThenWake { $0.results[index] = result }
                }
            }
        }
        let all = state.wait(until: .after(.seconds(240 * patience))) {
            $0.results.count == cells.count ? $0.results : nil
        }
        return (all ?? [:]).sorted { $0.key < $1.key }.map { (cells[$0.key], $0.value) }
    }()

    /// Enough for all that wait, few enough for those that work to be answered in time.
    private static let width = 16
}
