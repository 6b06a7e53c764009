import Benchmark
import CAllocationCount

/// How a benchmark is measured and named.
///
/// Each does its work on `units` things at once (replies, entries, chunks), so that the clock's own cost vanishes; the
/// script divides by the number behind the name. Each is run for at most half a second: the quickest take microseconds.
enum Measuring {
    /// Calls of malloc and its like in one run.
    static let allocations = BenchmarkMetric.custom("Allocations", polarity: .prefersSmaller, useScalingFactor: false)

    static var configuration: Benchmark.Configuration {
        Benchmark.Configuration(
            metrics: [.wallClock, .throughput, allocations], timeUnits: .nanoseconds, warmupIterations: 3,
            maxDuration: .milliseconds(500), maxIterations: 1_000)
    }

    /// Adds a benchmark.
    ///
    /// - Parameters:
    ///   - name: what is done to one unit.
    ///   - units: how many of them one run does.
    ///   - bytes: how many bytes a run goes through, where a rate says something.
    ///   - work: one run. What it returns is not optimised away.
    static func add<Result>(_ name: String, units: Int, bytes: Int = 0, _ work: @escaping () -> Result) {
        _ = Benchmark("\(name)|\(units)|\(bytes)", configuration: configuration) { benchmark in
            let before = allocation_count()
            benchmark.startMeasurement()
            blackHole(work())
            benchmark.stopMeasurement()
            benchmark.measurement(allocations, allocation_count() - before)
        }
    }
}
