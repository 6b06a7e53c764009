import Testing

@testable import FuseBridge

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What /proc/PID/status says of pending signals, and what that means for a waiting request.
@Suite struct ProcessSignalsTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var pending: UInt64?
    }

    static let real = """
        Name:\tcat
        State:\tS (sleeping)
        Groups:\t0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30
        Threads:\t1
        SigQ:\t1/31186
        SigPnd:\t0000000000000100
        ShdPnd:\t0000000000000002
        SigBlk:\tffffffffffffffff
        SigIgn:\t0000000000001000

        """

    @Test(arguments: [
        Sample(testDescription: "a real file: both sets together", text: real, pending: 0x102),
        Sample(
            testDescription: "no newline at the end", text: "SigPnd:\t1\nShdPnd:\t8000000000000000",
            pending: 1 << 63 | 1),
        Sample(testDescription: "capital digits", text: "SigPnd:\tAb\nShdPnd:\t0\n", pending: 0xAB),
        Sample(testDescription: "the other order", text: "ShdPnd:\t4\nSigPnd:\t2\n", pending: 6),
        Sample(testDescription: "the process's line is missing", text: "SigPnd:\t0000000000000100\n", pending: nil),
        Sample(testDescription: "empty", text: "", pending: nil),
        Sample(testDescription: "no digits", text: "SigPnd:\t\nShdPnd:\t0\n", pending: nil),
        Sample(testDescription: "no hexadecimal digits", text: "SigPnd:\t00x1\nShdPnd:\t0\n", pending: nil),
        Sample(testDescription: "too many digits", text: "SigPnd:\t00000000000000001\nShdPnd:\t0\n", pending: nil),
        Sample(testDescription: "a longer label", text: "SigPndX:\t1\nShdPnd:\t0\n", pending: nil),
        Sample(
            testDescription: "an endless line before them",
            text: String(repeating: "9", count: 100_000) + "\nSigPnd:\t1\nShdPnd:\t0\n", pending: 1),
    ])
    func statusFiles(_ sample: Sample) {
        #expect(ProcessSignals(status: sample.text.utf8)?.pending == sample.pending)
    }

    @Test func whatCanBeSeenOfAProcess() {
        guard case .visible = WaitingProcess.look(at: getpid()) else {
            Issue.record("this process cannot be looked at")
            return
        }
        #expect(WaitingProcess.look(at: 0) == .hidden)
        #expect(WaitingProcess.look(at: -1) == .hidden)
        // Above PID_MAX_LIMIT (2^22): no such process.
        #expect(WaitingProcess.look(at: 1 << 23) == .gone)
    }

    @Test(
        "signals that end a program cancel its request",
        arguments: [
            (1, Interruption.cancel), (2, .cancel), (3, .cancel), (9, .cancel), (15, .cancel),
            // SIGUSR1, SIGALRM, SIGCHLD, SIGTSTP, SIGWINCH, SIGIO, and a real-time signal.
            (10, .lookAgain), (14, .lookAgain), (17, .lookAgain), (20, .lookAgain), (28, .lookAgain), (29, .lookAgain),
            (40, .lookAgain),
        ] as [(UInt64, Interruption)])
    func oneSignal(number: UInt64, decision: Interruption) {
        let process = WaitingProcess.visible(ProcessSignals(pending: 1 << (number - 1)))
        #expect(Interruption.decide(process, wasInterrupted: true) == decision)
        #expect(Interruption.decide(process, wasInterrupted: false) == decision)
    }

    @Test(arguments: [
        (WaitingProcess.visible(ProcessSignals(pending: 0)), true, Interruption.lookAgain),
        (.visible(ProcessSignals(pending: 1 << 13 | 1 << 1)), true, .cancel),
        (.visible(ProcessSignals(pending: .max)), false, .cancel),
        (.gone, true, .cancel),
        (.gone, false, .cancel),
        (.hidden, true, .cancel),
        (.hidden, false, .lookAgain),
    ])
    func decisions(process: WaitingProcess, wasInterrupted: Bool, decision: Interruption) {
        #expect(Interruption.decide(process, wasInterrupted: wasInterrupted) == decision)
    }
}
