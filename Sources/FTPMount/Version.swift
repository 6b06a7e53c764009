/// Which ftpfs this is.
package enum Version {
    /// By semantic versioning.
    package static let current = "0.1.0"
    /// When it was made, as mdoc(7) writes days: on the manual pages.
    package static let date = "November 21, 2026"
}
