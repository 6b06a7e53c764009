struct MountingProcess {
    let plan: MountPlan
    let credentials: Credentials
    let isForeground: Bool
    func run(_ report: (StatusReport.Outcome) -> Bool) throws(MountFailure) {
        throw MountFailure(.mountFailed, "not yet")
    }
}
