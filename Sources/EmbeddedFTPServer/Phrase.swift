/// The occasions on which a server says something.
package enum Phrase: String, Hashable, Sendable, CaseIterable {
    // The session.
    case greeting, tooManyConnections, idleTimeout, goodbye, needPassword, loggedIn, loginFailed, notLoggedIn
    case alreadyLoggedIn, userFirst, unknownCommand, unknownBeforeLogin, missingArgument, lineTooLong, readOnly
    case system, noop, help, status, statusBegin, statusEnd, allocated, accountNotNeeded
    case featuresBegin, featuresEnd, optionsSet, optionsUnknown, utf8On, clientNoted
    // Transfer parameters.
    case typeBinary, typeASCII, typeUnknown, modeSet, modeUnknown, structureSet, structureUnknown
    case restartAt, restartBad, rangeSet, rangeReset, rangeBad, rangeBeyondEnd, passive, passiveNeedsIPv4
    case extendedPassive, extendedPassiveBad, extendedPassiveAll, portSet, extendedPortSet, portRefused
    // Directories and names.
    case directoryChanged, directoryChangeFailed, workingDirectory, directoryMade, directoryMakeFailed
    case directoryRemoved, directoryRemoveFailed, fileDeleted, fileDeleteFailed
    case renameReady, renameFromFailed, renameFromFirst, renamed, renameFailed, renameTargetExists
    // Looking and changing.
    case size, sizeFailed, sizeInASCII, notAFile, time, timeFailed, timeSet, timeSetFailed, factSet, utimeSet
    case factsBegin, factsEnd, factsFailed, modeChanged, modeChangeFailed
    case siteUnknown, siteMissing, siteHelp, linkMade, linkFailed
    // Transfers.
    case noDataConnection, dataConnectionFailed, openingForRead, openingForWrite, openingForList, openingForFacts
    case transferred, listed, retrieveFailed, retrieveNotAFile, storeFailed, diskFull, writeFailed
    case transferAborted, abortDone, abortIdle, clientHungUp, listNotFound, nameListNotFound, factListNotFound,
        emptyListing
    case restartBeyondEnd
    // TLS.
    case securityAccepted, securityMechanismUnknown, securityIsOn, securityFirst, bufferSizeSet, bufferSizeFirst
    case dataIsClear, dataIsPrivate, dataMustBePrivate, privateDataRefused, protectionUnsupported, protectionUnknown
    case loginNeedsSecurity, dataNeedsSecurity, dataHandshakeFailed, sessionNotReused, uploadTruncated

    /// What is said where the product has no words of its own: plain RFC 959.
    package var usual: Saying {
        switch self {
        case .greeting: "220 Service ready"
        case .tooManyConnections: "421 Too many users, sorry"
        case .idleTimeout: "421 Timeout"
        case .goodbye: "221 Goodbye"
        case .needPassword: "331 Password required"
        case .loggedIn: "230 Logged in"
        case .loginFailed: "530 Login incorrect"
        case .notLoggedIn: "530 Please log in with USER and PASS"
        case .alreadyLoggedIn: "503 You are already logged in"
        case .userFirst: "503 Log in with USER first"
        case .unknownCommand: "500 Unknown command"
        case .unknownBeforeLogin: "530 Please log in with USER and PASS"
        case .missingArgument: "501 Missing argument"
        case .lineTooLong: "500 Line too long"
        case .readOnly: "550 Permission denied"
        case .system: "215 UNIX Type: L8"
        case .noop: "200 OK"
        case .help: "214 No help here"
        case .status: "211 Logged in as {user}"
        case .statusBegin: "213 Status of {argument}:"
        case .statusEnd: "213 End of status"
        case .allocated: "202 No storage allocation necessary"
        case .accountNotNeeded: "202 No account needed"
        case .featuresBegin: "211 Features:"
        case .featuresEnd: "211 End"
        case .optionsSet: "200 MLST OPTS {facts}"
        case .optionsUnknown: "501 Option not understood"
        case .utf8On: "200 UTF8 is on"
        case .clientNoted: "200 Noted"
        case .typeBinary, .typeASCII: "200 Type set to {argument}"
        case .typeUnknown: "504 Type not implemented"
        case .modeSet: "200 Mode set to S"
        case .modeUnknown: "504 Mode not implemented"
        case .structureSet: "200 Structure set to F"
        case .structureUnknown: "504 Structure not implemented"
        case .restartAt: "350 Restarting at {argument}"
        case .restartBad: "501 REST needs a number"
        case .rangeSet: "350 Transferring byte range of {count} bytes starting from {first}"
        case .rangeReset: "350 Reset byte transfer range"
        case .rangeBad: "501 RANG needs two numbers, the smaller one first"
        case .rangeBeyondEnd: "554 {argument}: invalid RANG argument"
        case .passive: "227 Entering Passive Mode ({address})"
        case .passiveNeedsIPv4: "425 Use EPSV over IPv6"
        case .extendedPassive: "229 Entering Extended Passive Mode (|||{port}|)"
        case .extendedPassiveBad: "522 Network protocol not supported, use ({protocol})"
        case .extendedPassiveAll: "200 EPSV ALL command successful"
        case .portSet: "200 PORT command successful"
        case .extendedPortSet: "200 EPRT command successful"
        case .portRefused: "500 Illegal PORT command"
        case .directoryChanged: "250 Directory changed to {path}"
        case .directoryChangeFailed: "550 {argument}: {reason}"
        case .workingDirectory: "257 \"{path}\" is the current directory"
        case .directoryMade: "257 \"{path}\" created"
        case .directoryMakeFailed: "550 {argument}: {reason}"
        case .directoryRemoved: "250 Directory removed"
        case .directoryRemoveFailed: "550 {argument}: {reason}"
        case .fileDeleted: "250 File deleted"
        case .fileDeleteFailed: "550 {argument}: {reason}"
        case .renameReady: "350 Ready for RNTO"
        case .renameFromFailed: "550 {argument}: {reason}"
        case .renameFromFirst: "503 RNFR required first"
        case .renamed: "250 Renamed"
        case .renameFailed: "550 {argument}: {reason}"
        case .renameTargetExists: "553 {argument}: File exists"
        case .size: "213 {size}"
        case .sizeFailed: "550 {argument}: {reason}"
        case .sizeInASCII: "550 SIZE not allowed in ASCII mode"
        case .notAFile: "550 {argument}: not a plain file"
        case .time: "213 {time}"
        case .timeFailed: "550 {argument}: {reason}"
        case .timeSet: "213 File modification time set"
        case .timeSetFailed: "550 {argument}: {reason}"
        case .factSet: "213 Modify={time}; {argument}"
        case .utimeSet: "213 UTIME OK"
        case .factsBegin: "250 Listing {argument}"
        case .factsEnd: "250 End"
        case .factsFailed: "550 {argument}: {reason}"
        case .modeChanged: "200 SITE CHMOD command successful"
        case .modeChangeFailed: "550 {argument}: {reason}"
        case .siteUnknown: "500 SITE {argument} not understood"
        case .siteMissing: "501 SITE needs a command"
        case .siteHelp: "214 CHMOD"
        case .linkMade: "200 SITE SYMLINK command successful"
        case .linkFailed: "550 {argument}: {reason}"
        case .noDataConnection: "425 Use PORT or PASV first"
        case .dataConnectionFailed: "425 Failed to establish a data connection"
        case .openingForRead: "150 Opening {type} mode data connection for {argument} ({size} bytes)"
        case .openingForWrite: "150 Opening {type} mode data connection for {argument}"
        case .openingForList: "150 Opening {type} mode data connection for file list"
        case .openingForFacts: "150 Opening {type} mode data connection for MLSD"
        case .transferred: "226 Transfer complete"
        case .listed: "226 Transfer complete"
        case .retrieveFailed: "550 {argument}: {reason}"
        case .retrieveNotAFile: "550 {argument}: not a plain file"
        case .storeFailed: "550 {argument}: {reason}"
        case .diskFull: "552 Disk full, please try later"
        case .writeFailed: "451 Failure writing to local file"
        case .transferAborted: "426 Transfer aborted, data connection closed"
        case .abortDone: "226 Abort successful"
        case .abortIdle: "226 Abort successful"
        case .clientHungUp: "426 Transfer aborted, data connection closed"
        case .listNotFound, .nameListNotFound: "550 {argument}: {reason}"
        case .factListNotFound: "550 {argument}: {reason}"
        case .emptyListing: "550 No files found"
        case .restartBeyondEnd: "554 Restart offset is too large"
        case .securityAccepted: "234 AUTH {argument} OK, beginning TLS"
        case .securityMechanismUnknown: "504 AUTH {argument} is not understood"
        case .securityIsOn: "503 TLS is on already"
        case .securityFirst: "503 AUTH required first"
        case .bufferSizeSet: "200 PBSZ=0"
        case .bufferSizeFirst: "503 PBSZ required first"
        case .dataIsClear: "200 Data connections are in the clear"
        case .dataIsPrivate: "200 Data connections are private"
        case .dataMustBePrivate: "534 Data connections have to be private"
        case .privateDataRefused: "534 Data connections are in the clear only"
        case .protectionUnsupported: "536 PROT {argument} is not what TLS does"
        case .protectionUnknown: "504 PROT {argument} is not understood"
        case .loginNeedsSecurity: "530 Logging in needs TLS: AUTH required first"
        case .dataNeedsSecurity: "522 Data connections have to be private: PROT P required first"
        case .dataHandshakeFailed: "522 TLS handshake of the data connection failed"
        case .sessionNotReused: "522 The data connection has not resumed the TLS session of the control connection"
        case .uploadTruncated: "426 The data connection ended without close_notify; the file is not kept"
        }
    }
}
