package import FTPProtocol

/// What the text of a reply may say. A hint: it decides where to look, and what stands when looking cannot tell.
package enum ReplyMeaning: Hashable, Sendable, CaseIterable {
    /// The thing, or the directory that should hold it, is not there.
    case notFound
    /// The name is taken.
    case exists
    case notEmpty
    /// Not allowed to this user.
    case denied
    /// The disk is full.
    case noSpace
    /// The user's share of the disk is used up.
    case quotaExceeded
    /// The file is in use.
    case busy
    /// No further connection, now.
    case tooManyConnections
    /// The user is known and may not come in, whatever the password.
    case accountClosed
    /// Something broke that has nothing to do with the request: the same may work a moment later.
    case brokenInBetween
}

/// Servers have one number, 550, for nearly everything, and say what they mean in words, some of them in the language of
/// their country. This is the one place that knows words.
///
/// Texts are compared in lower-case ASCII, other letters by their bytes, and nobody knows in which character set they are;
/// so a row holds the part of a word that is without accents. Rows of one meaning are tried from the left; what a
/// denial says ("does not exist") is looked for before what it denies (``Reply/says(_:)``).
enum ReplyWords {
    /// In the order English, German, French, Spanish and Portuguese, Italian, Dutch, Polish; then products' own.
    static func words(_ meaning: ReplyMeaning) -> [String] {
        switch meaning {
        case .notFound:
            [
                "not found", "no such", "not exist", "n't exist", "cannot find", "can't find", "couldn't find",
                "could not find", "unable to find", "nicht gefunden", "kann nicht finden", "existiert nicht",
                "nicht vorhanden", "introuvable", "n'existe", "aucun fichier", "no existe", "nao existe",
                "no se encuentra",
                "no se encontr", "encontrad", "non esiste", "non trovat", "impossibile trovare",
                "niet gevonden", "bestaat niet", "nie istnieje", "nie ma takiego",
            ]
        case .exists:
            [
                "exist", "vorhanden", "esiste", "bestaat al", "istnieje", "already in use",
            ]
        case .notEmpty:
            [
                "not empty", "n't empty", "not be empty", "nicht leer", "non vide", "pas vide", " vac", " vazi",
                " vuot",
                "niet leeg", "nie jest pust",
            ]
        case .denied:
            [
                "denied", "permission", "not allowed", "not permitted", "forbidden", "insufficient privilege",
                "read-only", "read only", "verweigert", "keine berechtigung", "nicht erlaubt", "nicht gestattet",
                "refus",
                "interdit", "non autoris", "denegad", "no permitid", "sin permiso", "negad", "negato", "non consentit",
                "non permess", "geweigerd", "niet toegestaan", "odmowa",
            ]
        case .noSpace:
            [
                "no space", "not enough space", "insufficient storage", "insufficient space", "disk full",
                "disk is full",
                "out of space", "file system full", "volume full", "kein speicherplatz", "speicherplatz reicht",
                "platte voll",
                "ger voll", "nicht gen", "espace insuffisant", "plus d'espace", "disque plein",
                "espacio insuficiente", "no hay espacio", "disco lleno", "spazio insufficiente", "spazio esaurito",
                "disco pieno", "onvoldoende ruimte", "schijf vol", "brak miejsca",
            ]
        case .quotaExceeded:
            [
                "quota", "storage limit", "allocation exceeded", "exceeded storage allocation", "kontingent",
                "speicherkontingent", "cuota", "cota de disco",
            ]
        case .busy:
            [
                "being used by another", "in use", "file is locked", "is locked by", "sharing violation",
                "resource busy",
                "text file busy", "wird gerade verwendet", "wird von einem anderen", "wird bereits von einem",
                "par un autre process", "en cours d'utilisation", "siendo utilizado", "in uso da",
            ]
        case .tooManyConnections:
            [
                "too many", "max clients", "maximum number", "maximum conn", "maximum login", "maximum client",
                "connection limit", "session limit", "connections from", "limit reached", "limit exceeded",
                "number of clients", "number of connections", "number of users", "number of sessions",
                "no more connections", "no more users", "already logged in", "server is full",
                "zu viele", "maximale anzahl", "verbindungen erreicht", "trop de", "trop d'", "nombre maxim",
                "demasiad",
                "mero m", "troppi", "troppe", "numero massimo", "te veel", "zbyt wiel",
            ]
        case .accountClosed:
            [
                "account is locked", "account locked", "account has been locked", "account is disabled",
                "account disabled", "account has been disabled", "account expired", "account has expired", "suspended",
                "password expired", "password has expired", "banned", "konto gesperrt", "konto ist gesperrt",
                "konto deaktiviert", "zugang gesperrt", "compte verrouill", "compte bloqu",
                "cuenta bloquead", "cuenta deshabilitad", "account bloccato", "attempt", "anmeldeversuche",
                "fehlversuche",
                "tentative", "intentos", "tentativi",
            ]
        case .brokenInBetween:
            [
                "broken pipe", "timed out", "closed by the remote host", "connection reset",
                "connection closed by", "temporarily unavailable", "temporary failure", "try again",
            ]
        }
    }

    /// What a meaning must not be taken for: "does not exist" holds "exist".
    static func denial(of meaning: ReplyMeaning) -> ReplyMeaning? {
        switch meaning {
        case .exists: .notFound
        // "Too many failed attempts" is about the password.
        case .tooManyConnections: .accountClosed
        default: nil
        }
    }
}

extension Reply {
    /// Whether the words of the text are those of a meaning.
    package func says(_ meaning: ReplyMeaning) -> Bool {
        if let denial = ReplyWords.denial(of: meaning), mentions(ReplyWords.words(denial)) { return false }
        return mentions(ReplyWords.words(meaning))
    }

    /// Whether the text says that it is a matter of rights.
    package var saysDenied: Bool { says(.denied) }
}
