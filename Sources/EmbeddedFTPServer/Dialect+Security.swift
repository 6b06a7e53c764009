/// What the products say of TLS, taken down from vsftpd 3.0.3, ProFTPD 1.3.8 with mod_tls 2.9.2 and Pure-FTPd 1.0.50 where
/// TLS is required; of FileZilla Server 1 what users have published.
extension Dialect {
    /// By the product's name.
    static let security: [String: [Phrase: Saying]] = [
        "vsftpd": [
            .securityAccepted: "234 Proceed with negotiation.",
            .securityMechanismUnknown: "504 Unknown AUTH type.",
            .securityIsOn: "530 Please login with USER and PASS.",
            .securityFirst: "503 PROT needs a secure connection.",
            .bufferSizeSet: "200 PBSZ set to 0.",
            .dataIsClear: "200 PROT now Clear.",
            .dataIsPrivate: "200 PROT now Private.",
            .protectionUnsupported: "536 PROT not supported.",
            .protectionUnknown: "504 PROT not recognized.",
            .loginNeedsSecurity: "530 Non-anonymous sessions must use encryption.",
            .dataNeedsSecurity: "522 Data connections must be encrypted.",
            .dataHandshakeFailed: "522 SSL connection failed",
            .sessionNotReused: "522 SSL connection failed: session reuse required",
            .uploadTruncated: "426 Failure reading network stream.",
        ],
        "ProFTPD": [
            .securityAccepted: "234 AUTH {argument} successful",
            .securityMechanismUnknown: "500 AUTH not understood",
            .securityIsOn: "503 Unwilling to accept second AUTH",
            .bufferSizeSet: "200 PBSZ 0 successful",
            .dataIsClear: "200 Protection set to Clear",
            .dataIsPrivate: "200 Protection set to Private",
            .dataMustBePrivate: "534 Unwilling to accept security parameters",
            .protectionUnsupported: "536 PROT {argument} unsupported",
            .protectionUnknown: "504 PROT {argument} unsupported",
            .loginNeedsSecurity: "550 SSL/TLS required on the control channel",
            .dataNeedsSecurity: "550 SSL/TLS required on the data channel",
            .dataHandshakeFailed: "425 Unable to build data connection: Operation not permitted",
            .sessionNotReused: "425 Unable to build data connection: Operation not permitted",
        ],
        "Pure-FTPd": [
            .securityAccepted: "234 AUTH TLS OK.",
            .securityMechanismUnknown: "500 This security scheme is not implemented",
            .bufferSizeFirst: "503 PROT must be preceded by a successful PBSZ command",
            .dataIsClear: "200 Data protection level set to \"clear\"",
            .dataIsPrivate: "200 Data protection level set to \"private\"",
            .protectionUnknown: "534 Fallback to [C]",
            .loginNeedsSecurity:
                """
            421-Sorry, cleartext sessions and weak ciphers are not accepted on this server.
            Please reconnect using TLS security mechanisms.
            """,
            .dataNeedsSecurity: "521 Data connection cannot be opened with this PROT setting.",
        ],
        "FileZilla Server": [
            .sessionNotReused: "425 Unable to build data connection: TLS session of data connection not resumed."
        ],
    ]
}
